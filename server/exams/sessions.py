"""What examiners see of sessions: the list and the detail."""

from dataclasses import fields

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session as Transaction

from app.contract.actions import ActionKind
from app.contract.coverage import Missing, missing, wanted
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from server.actions.views import ActionView
from server.context import Context
from server.db.models import ActionRecord, Candidate, DeletedSession, Exam, Incident, Segment, Session
from server.exams import manifest
from server.exams.views import DeletionList, SessionDetail, SessionList, SessionRow
from server.verification import access, freezing


def listed(tx: Transaction, context: Context, exam: str | None) -> SessionList:
    """Return the sessions (of one exam), the newest first."""
    query = select(Session).order_by(Session.started_ms.desc(), Session.id)
    if exam is not None:
        query = query.where(Session.exam == exam)
    return SessionList(sessions=_rows(tx, context, query))


def deleted(tx: Transaction, exam: str | None) -> DeletionList:
    """Return the signed deletions (of one exam), the newest first."""
    query = select(DeletedSession.jws).order_by(DeletedSession.deleted_ms.desc(), DeletedSession.session)
    if exam is not None:
        query = query.where(DeletedSession.exam == exam)
    return DeletionList(deletions=tuple(tx.scalars(query)))


def detail(tx: Transaction, context: Context, session: str) -> SessionDetail:
    """Return one session; raises ``Refused`` 404."""
    found = access.find(tx, session)
    row = _rows(tx, context, select(Session).where(Session.id == session))[0]
    counts = select(Segment.track, func.count()).where(Segment.session == session).group_by(Segment.track)
    actions = select(ActionRecord).where(ActionRecord.session == session).order_by(ActionRecord.issued_ms)
    return SessionDetail(
        **{field.name: getattr(row, field.name) for field in fields(row)},
        epochs=found.epoch + 1,
        tracks=dict(tx.execute(counts).all()),
        head=found.head,
        records=found.records,
        missing=_missing(tx, found),
        server_incidents=manifest.incidents(tx, session),
        actions=tuple(_action(action) for action in tx.scalars(actions)),
    )


def _missing(tx: Transaction, session: Session) -> tuple[Missing, ...]:
    """Return the stretches that the records say nothing of; the segments themselves nobody here can open."""
    policy = jws.unverified(Policy, tx.scalars(select(Exam.policy).where(Exam.id == session.exam)).one())
    tracks = wanted(policy.capture)
    of_media = Segment.track.in_([track.value for track in tracks])
    tokens = tx.scalars(select(Segment.record).where(Segment.session == session.id, of_media))
    return missing((jws.unverified(Record, token) for token in tokens), tracks)


def _rows(tx: Transaction, context: Context, query: Select[Session]) -> tuple[SessionRow, ...]:
    sessions = list(tx.scalars(query))
    ids = [row.id for row in sessions]
    candidates = select(Candidate.id, Candidate.name).where(Candidate.id.in_([row.candidate for row in sessions]))
    segments = select(Segment.session, func.count(), func.sum(Segment.size)).where(Segment.session.in_(ids))
    incidents = select(Incident.session, func.count()).where(Incident.session.in_(ids))
    titles = dict(tx.execute(select(Exam.id, Exam.title)).all())
    names = dict(tx.execute(candidates).all())
    # PostgreSQL adds whole numbers up to a decimal.
    stored = {session: (count, int(size)) for session, count, size in tx.execute(segments.group_by(Segment.session))}
    seen = dict(tx.execute(incidents.group_by(Incident.session)).all())
    return tuple(
        SessionRow(
            session=row.id,
            exam=row.exam,
            title=titles[row.exam],
            candidate=names[row.candidate],
            state=freezing.state_of(row).value,
            started_ms=row.started_ms,
            last_seen_ms=row.alive_ms or row.started_ms,
            frozen=freezing.frozen_now(row, now_ms=context.now(), since_ms=context.uptime.since_ms),
            segments=stored.get(row.id, (0, 0))[0],
            bytes=stored.get(row.id, (0, 0))[1],
            incidents=seen.get(row.id, 0),
            ended=row.end is not None,
            complete=row.completion is not None,
        )
        for row in sessions
    )


def _action(row: ActionRecord) -> ActionView:
    return ActionView(
        id=row.id, kind=ActionKind(row.kind), arguments=row.arguments, issuer=row.issuer, issued_ms=row.issued_ms
    )

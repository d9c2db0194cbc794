"""Candidates: invites, links, and the exchange of an invite for a session."""

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from app.contract.canonical import b64
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.sealing.agreements import open_agreement
from app.contract.session import SessionState
from app.contract.wire import ExamLink, JoinAnswer, JoinRequest
from server import tokens
from server.context import Context
from server.db.models import Candidate, Exam, InstitutionKey, Session
from server.exams import policies
from server.exams.views import CandidateList, CandidateRow, Invitation, NewCandidate
from server.refused import Refused


def invite(tx: Transaction, context: Context, exam: str, asked: NewCandidate) -> Invitation:
    """Add a candidate to the roster and make the link; raises ``Refused``, and ``IntegrityError`` for an agreement
    that the application would refuse.
    """
    row = policies.find(tx, exam)
    if asked.agreement is not None:
        signer = tx.get_one(InstitutionKey, row.institution_key)
        open_agreement(asked.agreement, signer.public, exam=row.id, candidate=asked.name)
    value = b64(secrets.token_bytes(18))
    candidate = Candidate(
        id=tokens.new_id(),
        exam=row.id,
        name=asked.name,
        invite=tokens.digest(value),
        agreement=asked.agreement,
        expires_ms=row.expires_ms if asked.expires_ms is None else min(asked.expires_ms, row.expires_ms),
        created_ms=context.now(),
    )
    tx.add(candidate)
    # The application refuses a link whose server is not the policy's.
    server = jws.unverified(Policy, row.policy).server.url
    link = ExamLink(server=server, exam=row.id, invite=value, pin=row.institution_key)
    return Invitation(
        candidate=candidate.id, name=asked.name, invite=value, link=link.url(), expires_ms=candidate.expires_ms
    )


def listed(tx: Transaction, exam: str) -> CandidateList:
    """Return an exam's roster."""
    policies.find(tx, exam)
    query = (
        select(Candidate, Session.id)
        .outerjoin(Session, Session.candidate == Candidate.id)
        .where(Candidate.exam == exam)
        .order_by(Candidate.name, Candidate.id)
    )
    rows = tuple(
        CandidateRow(
            candidate=row.id,
            name=row.name,
            session=session,
            expires_ms=row.expires_ms,
            agreement=row.agreement is not None,
        )
        for row, session in tx.execute(query)
    )
    return CandidateList(candidates=rows)


def join(tx: Transaction, context: Context, asked: JoinRequest) -> JoinAnswer:
    """Exchange an invite for a session and the client token.

    Until the first program is bound the same invite works again, with a new client token for the same session: an
    answer may be lost on the way, or the program closed at the notice. Raises ``Refused``.
    """
    exam = policies.find(tx, asked.exam, hold=True)
    now = context.now()
    query = select(Candidate).where(Candidate.exam == exam.id, Candidate.invite == tokens.digest(asked.invite))
    candidate = tx.scalars(query).first()
    if candidate is None:
        raise Refused(404, "E-INVITE-UNKNOWN")
    # Held: a program that binds at this moment must not find its client token replaced.
    mine = select(Session).where(Session.candidate == candidate.id).with_for_update(key_share=True)
    session = tx.scalars(mine).first()
    if session is not None and session.epoch >= 0:
        raise Refused(409, "E-INVITE-USED")
    if exam.expires_ms <= now:
        raise Refused(410, "E-POLICY-EXPIRED")
    if candidate.expires_ms <= now:
        raise Refused(410, "E-INVITE-EXPIRED")
    if session is None:
        session = _new_session(exam, candidate, now)
        tx.add(session)
    client = secrets.token_bytes(32)
    session.client = tokens.digest(client)
    return JoinAnswer(session=session.id, candidate=candidate.name, client_token=client, agreement=candidate.agreement)


def _new_session(exam: Exam, candidate: Candidate, now: int) -> Session:
    return Session(
        id=tokens.new_id(),
        exam=exam.id,
        candidate=candidate.id,
        started_ms=now,
        state=SessionState.JOINING.value,
        epoch=-1,
        actions_from_ms=now,
        records=0,
    )

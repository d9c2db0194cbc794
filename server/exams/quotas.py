"""How much a session and an exam may store: asked before each segment is taken, and told to the examiner once.

A session's limit protects the server from one application; an exam's is what an administrator gave it. Nothing that has
a receipt is touched: what is refused stays on the candidate's computer, and goes on when there is room again.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from app.contract.incidents import IncidentKind
from server.context import Context
from server.db.models import Exam, Incident, Session
from server.db.plain import Plain
from server.exams import segment_rows
from server.exams.segment_rows import Sitting
from server.exams.views import QuotaView
from server.refused import Refused
from server.verification import access, freezing

ROW = 4_096
"""Bytes that a segment counts for beside its own: many tiny ones fill a disk too."""
AGAIN_S = 300
KIND = IncidentKind.QUOTA_REACHED


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that one more segment would pass: the session's or the exam's, in bytes."""

    of: str
    limit: int


def reached(tx: Plain, context: Context, session: Sitting, size: int) -> Reached | None:
    """Return the limit that ``size`` more bytes would pass, if there is one.

    Uploads under way are not counted, so that a limit may be passed by as much as ``Load.LIMIT`` segments.
    """
    if session.stored + size + ROW > context.session_bytes:
        return Reached("session", context.session_bytes)
    if session.quota is not None and segment_rows.stored_of(tx, session.exam) + size + ROW > session.quota:
        return Reached("exam", session.quota)
    return None


def refuse(context: Context, session: str, limit: Reached) -> Refused:
    """Write the incident, once for each limit of a session, and return the refusal.

    A session's limit is for good (413); an exam's may be raised, so the application keeps its copy and asks again
    (507).
    """
    with context.database.write() as tx:
        access.find(tx, session, hold=True)
        known = tx.scalars(select(Incident.facts).where(Incident.session == session, Incident.kind == KIND))
        if all(facts["of"] != limit.of for facts in known):
            freezing.report(tx, session, KIND, at_ms=context.now(), of=limit.of, limit_bytes=str(limit.limit))
    detail = f"the {limit.of} has stored as much as it may"
    if limit.of == "session":
        return Refused(413, "E-STORAGE", detail)
    return Refused(507, "E-STORAGE", detail, retry_after_s=AGAIN_S)


def stored(tx: Transaction, exam: str) -> int:
    """Return what an exam's sessions take, in bytes."""
    return int(tx.scalar(select(func.sum(Session.stored)).where(Session.exam == exam)) or 0)


def view(tx: Transaction, exam: Exam) -> QuotaView:
    """Return an exam's limit and what it has stored."""
    return QuotaView(exam=exam.id, bytes=exam.quota, stored=stored(tx, exam.id))

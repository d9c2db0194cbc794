"""The gate's decisions: may this request of a browser reach the exam, and with which next cookie token."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from server import tokens
from server.context import Context
from server.db.database import LOCKING
from server.db.models import Candidate, Exam, Session
from server.db.retries import retried
from server.verification import cookies, freezing


class Word(StrEnum):
    """What the gate says."""

    PASS = "pass"
    FROZEN = "frozen"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The gate's word; with ``PASS`` come the next cookie token and who it is."""

    word: Word
    cookie: str = ""
    session: str = ""
    candidate: str = ""
    start_url: str = ""


_UNKNOWN = Decision(word=Word.UNKNOWN)


@retried
def verify(context: Context, cookie: str) -> Decision:
    """Decide about a request that carries ``cookie``."""
    now = context.now()
    with context.database.write() as tx:
        owner = cookies.owner(tx, cookie)
        row = None if owner is None else tx.get(Session, owner, with_for_update=LOCKING)
        # Held first: until then another request may have made the cookie token void.
        if row is None or cookies.see(tx, cookie, now) is None:
            return _UNKNOWN
        if _is_over(tx, row, now):
            return _UNKNOWN
        if freezing.notice(tx, row, now_ms=now, since_ms=context.uptime.since_ms):
            return Decision(word=Word.FROZEN)
        row.ticket = None
        return _passed(tx, row, now)


@retried
def enter(context: Context, ticket: str, cookie: str) -> Decision:
    """Exchange a ticket for the first cookie token.

    A ticket is spent when a cookie token that it gave was used; until then a repeated entry (the answer was lost)
    gives a new token and makes the earlier one void. Entering again with a good cookie just goes on to the exam.
    """
    known = verify(context, cookie) if cookie else _UNKNOWN
    if known.word is Word.PASS:
        return known
    now = context.now()
    with context.database.write() as tx:
        row = tx.scalars(
            select(Session).where(Session.ticket == tokens.digest(ticket)).with_for_update(key_share=True)
        ).first()
        if row is None or _is_over(tx, row, now):
            return _UNKNOWN
        cookies.revoke(tx, row.id)
        freezing.notice(tx, row, now_ms=now, since_ms=context.uptime.since_ms)
        freezing.confirm(tx, row, now_ms=now, by="entry")
        return _passed(tx, row, now)


def _is_over(tx: Transaction, row: Session, now: int) -> bool:
    """Return whether the exam is shut for this session: it ended, or its policy has run out.

    Binding stays possible then, for what a program left behind and still has to send.
    """
    return freezing.state_of(row) in freezing.OVER or tx.get_one(Exam, row.exam).expires_ms <= now


def _passed(tx: Transaction, row: Session, now: int) -> Decision:
    exam, candidate = tx.get_one(Exam, row.exam), tx.get_one(Candidate, row.candidate)
    return Decision(
        word=Word.PASS,
        cookie=cookies.issue(tx, row.id, now),
        session=row.id,
        candidate=candidate.name,
        start_url=exam.start_url,
    )

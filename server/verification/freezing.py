"""Whether a candidate is frozen: computed from the last confirmation, and written down once per change."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from app.contract.incidents import IncidentKind
from app.contract.session import SessionState
from app.contract.wire import CONFIRMATION_LIMIT_MS
from server.db.models import Incident, Session

OVER = frozenset({SessionState.UNLOCKING, SessionState.FLUSHING, SessionState.ENDED})
"""States in which the exam is not open any more; there is nothing left to freeze."""

OF_A_KIND = 200
"""Incidents of one kind that are kept of a session."""


def is_frozen(now_ms: int, last_confirmed_ms: int | None, state: SessionState) -> bool:
    """Return whether the exam's pages must not be answered.

    Nobody is frozen before the exam was entered (``last_confirmed_ms`` is none) or after it is over.
    """
    if last_confirmed_ms is None or state in OVER:
        return False
    return now_ms - last_confirmed_ms > CONFIRMATION_LIMIT_MS


def state_of(session: Session) -> SessionState:
    """Return where the session stands: the application's last word, unless its signed end is here."""
    return SessionState.ENDED if session.end is not None else SessionState(session.state)


def last_confirmed(session: Session, since_ms: int) -> int | None:
    """Return the confirmation that counts: before ``since_ms`` (``server.uptime``) nobody could confirm anything.

    Who was frozen before the server or its database went down is frozen after it, too.
    """
    if session.confirmed_ms is None or session.frozen_since_ms is not None:
        return session.confirmed_ms
    return max(session.confirmed_ms, since_ms)


def frozen_now(session: Session, *, now_ms: int, since_ms: int) -> bool:
    """Return whether ``session`` is frozen, without writing anything down."""
    return is_frozen(now_ms, last_confirmed(session, since_ms), state_of(session))


def notice(tx: Transaction, session: Session, *, now_ms: int, since_ms: int) -> bool:
    """Return whether ``session`` is frozen; the first time, write the incident with the moment it began."""
    frozen = frozen_now(session, now_ms=now_ms, since_ms=since_ms)
    confirmed = last_confirmed(session, since_ms)
    if frozen and session.frozen_since_ms is None and confirmed is not None:
        session.frozen_since_ms = confirmed + CONFIRMATION_LIMIT_MS
        report(tx, session.id, IncidentKind.FROZEN, at_ms=session.frozen_since_ms)
    return frozen


def confirm(tx: Transaction, session: Session, *, now_ms: int, by: str) -> None:
    """Take a confirmation; thaws a frozen candidate and writes that down. ``by`` says who confirmed."""
    if session.frozen_since_ms is not None:
        lasted = str(now_ms - session.frozen_since_ms)
        report(tx, session.id, IncidentKind.THAWED, at_ms=now_ms, by=by, lasted_ms=lasted)
        session.frozen_since_ms = None
    session.confirmed_ms = now_ms


def report(tx: Transaction, session: str, kind: IncidentKind, *, at_ms: int, **facts: str) -> None:
    """Write down what the server saw; of each kind only the first ``OF_A_KIND``.

    The limit is by kind, so that nobody can hide one thing under many others.
    """
    known = select(func.count()).where(Incident.session == session, Incident.kind == kind.value)
    if (tx.scalar(known) or 0) < OF_A_KIND:
        tx.add(Incident(session=session, kind=kind.value, at_ms=at_ms, facts=facts))

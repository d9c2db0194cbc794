"""Deletes sessions whose time is over, as their signed policies say, and keeps the signed word that it did.

The wrapped keys at the head of each segment are overwritten first: without them the rest of a file is noise, also
where its blocks survive on the disk; so are the wraps of recipients added later. Then files, rows and the
candidate's line of the roster go. All of it may be interrupted anywhere and is simply done again; a session that can't
be deleted keeps no other one. Runs in a thread of the server (``Keeper``) or as ``fairlock-server retain``.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as Transaction

from app.contract.errors import FairlockError, Retryable, UserFacing
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.sealing.records import DELETION_TYPE, FORMAT_VERSION, Deletion
from server.accounts import audit
from server.context import Context
from server.db.database import LOCKING
from server.db.models import (
    ActionRecord,
    Binding,
    Candidate,
    CookieToken,
    DeletedSession,
    Exam,
    GrantRecord,
    Incident,
    Segment,
    Session,
)
from server.exams import clock_jumps
from server.exams.segment_files import HEAD_BYTES
from server.verification import access

DAY_MS = 86_400_000
EVERY_S = 3_600.0
TIMES = 4
"""So often a session is cleared while more of it arrives."""
ACCOUNT = "retention"

_log = logging.getLogger("fairlock.retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A session to delete, and since when its time is over."""

    session: str
    exam: str
    since_ms: int


def due(context: Context) -> list[Due]:
    """Return the sessions whose time is over: so many days after their end, or after they were last heard of."""
    now = context.now()
    found: list[Due] = []
    with context.database.read() as tx:
        policies = tx.execute(select(Exam.id, Exam.policy))
        days = {exam: jws.unverified(Policy, policy).retention.days for exam, policy in policies}
        for row in tx.scalars(select(Session).order_by(Session.started_ms)):
            over_ms = max(row.ended_ms or 0, row.alive_ms or 0, row.started_ms) + days[row.exam] * DAY_MS
            if over_ms <= now:
                found.append(Due(session=row.id, exam=row.exam, since_ms=over_ms))
    return found


class Undeleted(UserFacing):
    """Sessions whose time is over and that are still there, each with the reason."""

    code = "E-RETENTION"

    def __init__(self, failed: dict[str, str]) -> None:
        named = "; ".join(f"{session} ({why})" for session, why in failed.items())
        advice = "Put right what stands in the way, then run `fairlock-server retain` again."
        super().__init__(f"Not deleted though their time is over: {named}.", advice=advice)
        self.failed = failed


def erase(context: Context, session: str) -> str:
    """Delete one session for good; return the signed ``Deletion``. Raises ``StorageFull`` when something is left.

    The store works outside of all transactions: one that does not answer holds up nobody's heartbeats. An upload that
    is under way finds no session afterwards, and takes its file back.
    """
    for _ in range(TIMES):
        with context.database.read() as tx:
            known = _stored(tx, session)
        context.store.shred(session, HEAD_BYTES)
        with context.database.write(durable=True) as tx:
            row = tx.get(Session, session, with_for_update=LOCKING)
            if row is None and (done := tx.get(DeletedSession, session)) is not None:
                return done.jws  # another server of this database was faster
            row = access.find(tx, session)
            # Else something was stored after the store was cleared.
            if _stored(tx, session) == known:
                return _forget(tx, context, row)
    raise Retryable("its application goes on sending")


def erase_due(context: Context) -> Iterator[str]:
    """Delete what is due, one session after another; yield each one's signed ``Deletion``.

    The clock is taken at its word; ``Keeper`` asks ``clock_jumps`` first. Raises ``Undeleted`` after the last one when
    some are left.
    """
    failed: dict[str, str] = {}
    for one in due(context):
        with _noted(one.session, failed):
            yield erase(context, one.session)
    for session in _lately(context):
        with _noted(session, failed):
            # What an upload could not take back, because the server was killed just then.
            context.store.shred(session, HEAD_BYTES)
    if failed:
        raise Undeleted(failed)


@contextmanager
def _noted(session: str, failed: dict[str, str]) -> Iterator[None]:
    """Log what goes wrong with one session and note it, so that the others have their turn."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (the edge of one session: none may keep the others)
        unforeseen = not isinstance(error, (FairlockError, OSError))
        _log.error("session %s could not be deleted: %s", session, error, exc_info=unforeseen)
        failed[session] = str(error) or type(error).__name__


class Keeper:
    """Looks once an hour, in the thread ``retention``."""

    def __init__(self, context: Context, *, every_s: float = EVERY_S) -> None:
        self._context, self._every_s = context, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin, with a look at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the session at hand."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while True:
            try:
                if clock_jumps.is_believed(self._context):
                    for _token in erase_due(self._context):
                        if self._stop.is_set():
                            return
            except Undeleted as error:
                _log.error("%d sessions whose time is over are still there", len(error.failed))
            except Exception:  # noqa: BLE001  (a thread's edge: a full disk today must not end it for ever)
                _log.exception("sessions whose time is over could not be deleted")
            if self._stop.wait(self._every_s):
                return


def _lately(context: Context) -> list[str]:
    """Return the sessions that were deleted within the last day."""
    recent = DeletedSession.deleted_ms > context.now() - DAY_MS
    with context.database.read() as tx:
        return list(tx.scalars(select(DeletedSession.session).where(recent)))


def _stored(tx: Transaction, session: str) -> int:
    """Count what lies in the store: segments, and wraps of recipients added later."""
    tables = (Segment, GrantRecord)
    counts = (select(func.count()).select_from(table).where(table.session == session) for table in tables)
    return sum(tx.scalar(count) or 0 for count in counts)


def _forget(tx: Transaction, context: Context, row: Session) -> str:
    session, now = row.id, context.now()
    sizes = list(tx.scalars(select(Segment.size).where(Segment.session == session)))
    said = Deletion(
        version=FORMAT_VERSION,
        session=session,
        head=row.head,
        segments=len(sizes),
        size=sum(sizes),
        deleted_ms=now,
    )
    token = jws.sign(said, context.keys.receipt, typ=DELETION_TYPE)
    exam, candidate = row.exam, row.candidate
    for table in (Segment, GrantRecord, Incident, ActionRecord, CookieToken, Binding):
        tx.execute(delete(table).where(table.session == session))
    tx.delete(row)
    tx.flush()
    tx.execute(delete(Candidate).where(Candidate.id == candidate))
    tx.add(DeletedSession(session=session, exam=exam, deleted_ms=now, jws=token))
    audit.note(tx, now_ms=now, account=ACCOUNT, action="session.deleted", subject=session)
    return token

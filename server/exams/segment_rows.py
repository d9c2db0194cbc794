"""What taking a segment in asks of the database, as statements that are made once.

A server spends its time on segments; making these statements anew for each one, and objects of their answers, took
more of it than running them does. Runs in worker threads, inside the caller's transaction. Decides nothing.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, insert, or_, select, update

from app.contract.sealing.records import Record
from server.db.models import Binding, Exam, Segment, Session
from server.db.plain import Plain

_SITTING = (
    select(Session.access, Session.completion, Session.exam, Session.stored, Exam.quota)
    .join(Exam, Exam.id == Session.exam)
    .where(Session.id == bindparam("session"))
)
# As ``database.LOCKING``: others may go on to refer to the session.
_HELD = select(Session.completion).where(Session.id == bindparam("session")).with_for_update(key_share=True)
_KEYS = (
    select(Binding.signing_key)
    .where(Binding.session == bindparam("session"), Binding.epoch >= bindparam("epoch"))
    .order_by(Binding.epoch)
)
_IN_PLACE = (
    (Segment.epoch == bindparam("epoch"))
    & (Segment.track == bindparam("track"))
    & (Segment.sequence == bindparam("sequence"))
)
_RIVALS = select(Segment.epoch, Segment.track, Segment.sequence, Segment.record, Segment.receipt).where(
    Segment.session == bindparam("session"), or_(_IN_PLACE, Segment.previous == bindparam("previous"))
)
_OF_EXAM = select(func.sum(Session.stored)).where(Session.exam == bindparam("exam"))
_ADD = insert(Segment).values({column.name: bindparam(column.name) for column in Segment.__table__.columns})
_GROW = update(Session).where(Session.id == bindparam("sitting")).values(stored=Session.stored + bindparam("more"))


@dataclass(frozen=True, slots=True)
class Sitting:
    """What an upload must know of its session. ``access`` is the digest of the token that counts, ``quota`` the exam's.

    ``stored`` is what the session takes already, in bytes.
    """

    access: bytes | None
    is_complete: bool
    exam: str
    stored: int
    quota: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A segment that is in the database."""

    epoch: int
    track: str
    sequence: int
    record: str
    receipt: str


def sitting(tx: Plain, session: str) -> Sitting | None:
    """Return what is known of a session, none for one that is not there."""
    found = tx.rows(_SITTING, {"session": session})
    if not found:
        return None
    access, completion, exam, stored, quota = found[0]
    return Sitting(access, completion is not None, exam, stored, quota)


def hold(tx: Plain, session: str) -> bool | None:
    """Keep others from writing about a session until the transaction ends; return whether it is complete, as it is now.

    ``None`` when there is no such session.
    """
    found = tx.rows(_HELD, {"session": session})
    return found[0][0] is not None if found else None


def signing_keys(tx: Plain, session: str, epoch: int) -> list[bytes]:
    """Return the keys (Ed25519, raw) that spoke for a session from ``epoch`` on, in order."""
    return [key for (key,) in tx.rows(_KEYS, {"session": session, "epoch": epoch})]


def stored_of(tx: Plain, exam: str) -> int:
    """Return what an exam's sessions take, in bytes."""
    return int(tx.rows(_OF_EXAM, {"exam": exam})[0][0] or 0)


def rival(tx: Plain, record: Record, token: str) -> Stored | None:
    """Return what is stored at the record's place or follows the same record; with ``token`` itself first."""
    where = {
        "session": record.session,
        "epoch": record.epoch,
        "track": record.track.value,
        "sequence": record.sequence,
        "previous": record.previous,
    }
    rivals = [Stored(*row) for row in tx.rows(_RIVALS, where)]
    return next((one for one in rivals if one.record == token), rivals[0] if rivals else None)


def add(tx: Plain, record: Record, *, token: str, token_digest: bytes, receipt: str, now_ms: int) -> None:
    """Enter a stored segment."""
    tx.run(
        _ADD,
        {
            "session": record.session,
            "epoch": record.epoch,
            "track": record.track.value,
            "sequence": record.sequence,
            "record": token,
            "record_digest": token_digest,
            "previous": record.previous,
            "digest": record.digest,
            "size": record.size,
            "receipt": receipt,
            "received_ms": now_ms,
        },
    )


def grow(tx: Plain, session: str, more: int) -> None:
    """Count ``more`` bytes to what a session stores."""
    tx.run(_GROW, {"sitting": session, "more": more})

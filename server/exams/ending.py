"""Takes the application's signed end and completes the session once everything that it speaks of is stored."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing import jws
from app.contract.sealing.records import COMPLETION_TYPE, END_TYPE, FORMAT_VERSION, Completion, End, genesis
from app.contract.wire import EndAnswer
from server.context import Context
from server.db.models import Binding, Exam, Segment, Session
from server.db.retries import retried
from server.exams import chain
from server.exams.evidence import signing_key
from server.refused import Refused
from server.verification import access


@retried
def end(context: Context, session: str, access_token: str, token: str) -> EndAnswer:
    """Store the end and answer with the completion, or with how many records are missing.

    The same end may be sent any number of times; another one only while the session is not complete and only when it
    speaks of no fewer records. Raises ``Refused`` or ``IntegrityError``.
    """
    with context.database.write(durable=True) as tx:
        row = access.bound(tx, session, access_token, hold=True)
        keys = tx.scalars(select(Binding.signing_key).where(Binding.session == session))
        said = jws.verify(End, token, signing_key(keys, token), typ=END_TYPE)
        if said.session != session:
            raise IntegrityError(Outcome.RECORD_MISMATCH, "the end is of another session")
        if row.end != token:
            _replace(row, said, token, context.now())
        missing = _missing(tx, row, said)
        if missing == 0 and row.completion is None:
            row.completion = _complete(context, row, token)
        return EndAnswer(completion=row.completion, missing=missing)


def _replace(row: Session, said: End, token: str, now: int) -> None:
    if row.completion is not None:
        raise Refused(409, "E-SESSION-ENDED", "the session is complete under another end")
    if row.end is not None and said.records < jws.unverified(End, row.end).records:
        raise Refused(409, "E-CONFLICT", "an earlier end speaks of more records")
    row.end = token
    row.ended_ms = row.ended_ms or now


def _missing(tx: Transaction, row: Session, said: End) -> int:
    """Return how many records have not arrived; raises ``IntegrityError`` when the end contradicts the chain."""
    query = select(Segment.record_digest, Segment.previous, Segment.track).where(Segment.session == row.id)
    stored = [(digest, previous, track) for digest, previous, track in tx.execute(query)]
    previous = {digest: before for digest, before, _track in stored}
    start = genesis(row.id, tx.get_one(Exam, row.exam).digest)
    walk = chain.walk(previous, head=said.head, genesis=start)
    if not walk.whole:
        return max(1, said.records - len(stored))
    tracks = Counter(track for _digest, _previous, track in stored)
    if walk.found != said.records or (
        len(stored) == walk.found
        and tracks != Counter({track: count for track, count in said.segments.items() if count})
    ):
        raise IntegrityError(Outcome.RECORD_MISMATCH, "the end counts other records than the chain holds")
    return 0


def _complete(context: Context, row: Session, token: str) -> str:
    completion = Completion(version=FORMAT_VERSION, session=row.id, end=jws.digest(token), completed_ms=context.now())
    return jws.sign(completion, context.keys.receipt, typ=COMPLETION_TYPE)

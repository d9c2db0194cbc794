"""Takes segments in: checks the record, stores the file for good, and only then gives a receipt.

The functions here run in worker threads; ``upload`` brings them the bytes. The server reads no evidence: all
it can check is that the bytes are what the session's key signed, and that nothing else claims the same place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import IncidentKind
from app.contract.sealing import jws
from app.contract.sealing.keys import key_id, load_ed25519
from app.contract.sealing.records import FORMAT_VERSION, RECEIPT_TYPE, RECORD_TYPE, Receipt, Record
from app.contract.sealing.segment import MAX_SEGMENT
from app.contract.wire import SegmentAnswer
from server.context import Context
from server.exams import quotas, segment_files, segment_rows
from server.exams.segment_rows import Stored
from server.refused import Refused
from server.storage.base import Place, Upload
from server.verification import access, freezing


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A segment whose record was checked. ``receipt`` is there when the segment is stored already."""

    token: str
    record: Record
    place: Place
    receipt: str | None


def announce(context: Context, access_token: str, place: Place, token: str) -> Announced:
    """Check a record before its bytes are read.

    Raises ``Refused`` (401, 404, 422; 409, 413 and 507 with an incident) or ``IntegrityError`` when the signature does
    not fit.
    """
    with context.database.read_plainly() as tx:
        session = access.admitted(segment_rows.sitting(tx, place.session), access_token)
        key = signing_key(segment_rows.signing_keys(tx, place.session, place.epoch), token)
        record = jws.verify(Record, token, key, typ=RECORD_TYPE)
        if (record.session, record.epoch, record.track, record.sequence) != (
            place.session,
            place.epoch,
            place.track,
            place.sequence,
        ):
            raise Refused(422, "E-RECORD", "the record is of another segment than the address")
        if record.size > MAX_SEGMENT:
            raise Refused(413, "E-RECORD", f"a segment has at most {MAX_SEGMENT} bytes")
        stored = segment_rows.rival(tx, record, token)
        limit = quotas.reached(tx, context, session, record.size)
    if stored is not None and stored.record != token:
        raise _conflict(context, record, stored)
    if stored is None and session.is_complete:
        raise _too_late()
    if stored is None and limit is not None:
        raise quotas.refuse(context, place.session, limit)
    place = replace(place, record=jws.digest(token))
    return Announced(token=token, record=record, place=place, receipt=stored.receipt if stored else None)


def keep(context: Context, announced: Announced, upload: Upload) -> tuple[SegmentAnswer, bool]:
    """Store finished bytes and return the receipt, and whether they are new.

    When this returns, file and row survive a power cut. Raises ``Refused`` 422 or 409, ``StorageFull``.
    """
    size, digest = upload.finish()
    record = announced.record
    if (size, digest) != (record.size, record.digest):
        raise Refused(422, "E-RECORD", f"{size} bytes came whose digest or number is not the record's")
    # Before the transaction, which must not wait for a store: heartbeats wait for its row. The place bears the record's
    # digest, so that nobody else's bytes can come to lie there; without its row the file counts for nothing.
    upload.publish()
    receipt = _receipt(context, announced)
    try:
        stored = _enter(context, announced, receipt)
    except Refused as error:
        if error.status == HTTPStatus.NOT_FOUND:
            # The session was deleted while this was on its way, and nothing of it may stay.
            context.store.shred(record.session, segment_files.HEAD_BYTES)
        else:
            segment_files.take_back(context, announced.place)
        raise
    if stored is None:
        return SegmentAnswer(receipt=receipt, health=context.load.health), True
    if stored.record != announced.token:
        segment_files.take_back(context, announced.place)
        raise _conflict(context, record, stored)
    return SegmentAnswer(receipt=stored.receipt, health=context.load.health), False


def _enter(context: Context, announced: Announced, receipt: str) -> Stored | None:
    """Write the segment's row, or return the one that was faster; raises ``Refused`` 404, or 409 after the end."""
    record, token = announced.record, announced.token
    with context.database.write_plainly() as tx:
        complete = segment_rows.hold(tx, record.session)
        if complete is None:
            raise Refused(404, "E-SESSION-UNKNOWN")
        stored = segment_rows.rival(tx, record, token)
        if stored is None and complete:
            # It was on its way while the session was completed; what the completion says must stay true.
            raise _too_late()
        if stored is None:
            digest = jws.digest(token)
            segment_rows.add(tx, record, token=token, token_digest=digest, receipt=receipt, now_ms=context.now())
            segment_rows.grow(tx, record.session, record.size + quotas.ROW)
    return stored


def signing_key(keys: Iterable[bytes], token: str) -> Ed25519PublicKey:
    """Return the one of a session's keys that ``token`` names: its epoch's, or a later one's that recovered the rest.

    Raises ``IntegrityError``.
    """
    wanted = jws.key_id_of(token)
    for key in map(load_ed25519, keys):
        if key_id(key) == wanted:
            return key
    raise IntegrityError(Outcome.UNKNOWN_KEY, "no key of this epoch or a later one signed this")


def _too_late() -> Refused:
    return Refused(409, "E-SESSION-ENDED", "everything of this session has arrived")


def _conflict(context: Context, record: Record, stored: Stored) -> Refused:
    same_place = (stored.epoch, stored.track, stored.sequence) == (record.epoch, record.track, record.sequence)
    what = "another record is stored for this place" if same_place else "another record follows the same record"
    place = f"{record.epoch}-{record.track}-{record.sequence}"
    with context.database.write() as tx:
        kind = IncidentKind.CONFLICTING_SEGMENT
        freezing.report(tx, record.session, kind, at_ms=context.now(), place=place, reason=what)
    return Refused(409, "E-CONFLICT", what)


def _receipt(context: Context, announced: Announced) -> str:
    receipt = Receipt(
        version=FORMAT_VERSION,
        session=announced.record.session,
        record=jws.digest(announced.token),
        digest=announced.record.digest,
        size=announced.record.size,
        received_ms=context.now(),
    )
    return jws.sign(receipt, context.keys.receipt, typ=RECEIPT_TYPE)

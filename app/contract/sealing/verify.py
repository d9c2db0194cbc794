"""The verifier: checks a whole session's evidence and reports every fault, in the order of ``docs/evidence-format.md``.

Pure and single-threaded; runs in the server, in ``fairlock verify`` and, rewritten in TypeScript and run on the same
vectors, in the console. It holds one segment in memory at a time and never writes anything.
"""

from collections.abc import Callable
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing.evidence import Manifest, Verdict, segment_name
from app.contract.sealing.faults import Faults
from app.contract.sealing.grant_check import GrantChecker
from app.contract.sealing.grants import ReadGrants
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment
from app.contract.sealing.segment_check import SegmentChecker
from app.contract.sealing.statements import Statements

INTACT = "intact"

OnSegment = Callable[[Record, OpenedSegment | None], None]
"""Called for each record whose file is the recorded one; its plaintext comes along where it was opened."""


class SegmentStore(Protocol):
    """Where segment files come from: an export's folder or archive, or the server's storage."""

    def read(self, name: str) -> bytes | None:
        """Return the whole file ``name`` (``segments/…``), or ``None`` where there is none.

        Raises ``IntegrityError`` for a file that can't be taken, such as one larger than any segment.
        """
        ...


def verify_session(
    manifest: Manifest,
    segments: SegmentStore,
    *,
    pin: str | None,
    private_key: ec.EllipticCurvePrivateKey | None,
    on_segment: OnSegment | None = None,
    grants: ReadGrants | None = None,
) -> Verdict:
    """Check all that ``manifest`` says and every segment file, and report all faults; never raises for bad evidence.

    ``pin`` is the id of the institution's key as known from elsewhere (an exam link, the institution's web page);
    without it the evidence is only consistent with itself. With a recipient's ``private_key`` every segment is also
    opened; with that of somebody whom ``grants`` added, every segment that a sound grant speaks of.
    ``Verdict.complete``: no fault, and the end, its completion and a receipt for every record are there.
    """
    faults = Faults()
    statements = Statements(manifest, faults)
    statements.check_policy(pin)
    statements.check_bindings()
    statements.check_chain()
    policy = statements.policy
    granted = GrantChecker(manifest, statements, grants)
    checker = SegmentChecker(
        faults=faults,
        recipients=None if policy is None else [recipient.id for recipient in policy.recipients],
        heads=statements.heads,
        private_key=private_key,
        grants=granted,
    )
    checker.check_key()
    size = 0
    for entry in statements.entries:
        data = _read(segments, entry.record, faults)
        if data is None:
            continue
        size += len(data)
        checked = checker.check(entry, data)
        if checked.recorded and on_segment is not None:
            on_segment(entry.record, checked.opened)
    statements.check_receipts()
    statements.check_end()
    statements.check_completion()
    return Verdict(
        chain=faults.found[0].outcome if faults.found else INTACT,
        faults=tuple(faults.found),
        records=tuple(entry.record for entry in statements.entries),
        segments=statements.segments(),
        bytes=size,
        complete=statements.complete() and not faults.found,
        grants=granted.findings(),
    )


def _read(segments: SegmentStore, record: Record, faults: Faults) -> bytes | None:
    name = segment_name(record)
    try:
        data = segments.read(name)
    except IntegrityError as error:
        faults.add(name, error.outcome, str(error))
        return None
    if data is None:
        faults.add(name, Outcome.MISSING, "the segment file is missing")
    return data

"""Checks one segment file against the signed record that speaks of it. Pure; keeps nothing between two files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing import keys, segment
from app.contract.sealing.evidence import segment_name
from app.contract.sealing.faults import Faults
from app.contract.sealing.grant_check import GrantChecker
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment, ParsedSegment
from app.contract.sealing.statements import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of one file: whether it is the very file that was recorded, and its plaintext if that was opened."""

    recorded: bool
    opened: OpenedSegment | None


class SegmentChecker:
    """Checks segment files of one session.

    ``recipients`` are the key ids of the policy (``None`` where that is unreadable), ``heads`` the place of each head
    of the chain, with 0 for genesis, ``grants`` who was added later.
    """

    def __init__(
        self,
        *,
        faults: Faults,
        recipients: Sequence[str] | None,
        heads: Mapping[bytes, int],
        private_key: ec.EllipticCurvePrivateKey | None,
        grants: GrantChecker,
    ) -> None:
        self._faults = faults
        self._recipients = None if recipients is None else sorted(recipients)
        self._heads = heads
        self._private_key = private_key
        self._grants = grants
        self._added: str | None = None

    def check_key(self) -> None:
        """Check that the given key is a recipient's, or an added one's; if not, say so once and open nothing."""
        if self._private_key is None or self._recipients is None:
            return
        mine = keys.key_id(self._private_key.public_key())
        if mine in self._recipients:
            return
        if self._grants.names(mine):
            self._added = mine
        else:
            self._private_key = None
            self._faults.add("key", Outcome.WRONG_RECIPIENT, f"the policy does not name the key {mine}")

    def check(self, entry: Entry, data: bytes) -> Checked:
        """Check ``data``, the file of ``entry``'s record, and open it when there is a key."""
        where, record, before = segment_name(entry.record), entry.record, len(self._faults.found)
        recorded = len(data) == record.size and sha256(data).digest() == record.digest
        if not recorded:
            self._faults.add(where, Outcome.DIGEST_MISMATCH, "the file is not the one that was recorded")
        opened = None
        with self._faults.collect(where):
            parsed = segment.parse(data)
            self._check_header(where, entry, parsed)
            if self._private_key is not None:
                opened = self._open(entry, parsed, self._private_key)
                if opened is not None and record.complete and not opened.complete:
                    raise IntegrityError(Outcome.TRUNCATED, "the final fragment is missing")
        if opened is not None and any(one.outcome != Outcome.BROKEN_CHAIN for one in self._faults.found[before:]):
            opened = replace(opened, sound=False)
        return Checked(recorded=recorded, opened=opened)

    def _open(self, entry: Entry, parsed: ParsedSegment, key: ec.EllipticCurvePrivateKey) -> OpenedSegment | None:
        if self._added is None:
            return segment.open_parsed(parsed, key)
        data_key = self._grants.unwrap(entry, parsed, key, self._added)
        return None if data_key is None else segment.open_with(parsed, data_key)

    def _check_header(self, where: str, entry: Entry, parsed: ParsedSegment) -> None:
        header, record = parsed.header, entry.record
        for name in ("session", "epoch", "track", "sequence", "start_ms"):
            said, recorded = getattr(header, name), getattr(record, name)
            if said != recorded:
                self._faults.add(where, Outcome.RECORD_MISMATCH, f"{name} is {said}, the record says {recorded}")
        if self._heads.get(header.previous, entry.place + 1) > entry.place:
            self._faults.add(where, Outcome.BROKEN_CHAIN, "was not begun after any earlier record of this chain")
        if self._recipients is not None and sorted(wrap.recipient for wrap in header.wraps) != self._recipients:
            self._faults.add(where, Outcome.WRONG_RECIPIENT, "is not sealed to exactly the policy's recipients")
        self._check_fragments(where, record, parsed)

    def _check_fragments(self, where: str, record: Record, parsed: ParsedSegment) -> None:
        if len(parsed.fragments) != record.fragments:
            outcome = Outcome.TRUNCATED if len(parsed.fragments) < record.fragments else Outcome.RECORD_MISMATCH
            message = f"holds {len(parsed.fragments)} fragments, the record says {record.fragments}"
            self._faults.add(where, outcome, message)
        if record.complete and (parsed.torn or not parsed.fragments):
            self._faults.add(where, Outcome.TRUNCATED, "does not end with a whole fragment")

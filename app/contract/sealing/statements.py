"""Checks the signed statements of a session (policy, bindings, records, receipts, end, completion). Pure; no files.

The order of checks, and the outcome of each, are those of ``docs/evidence-format.md``; the console's verifier
follows the same list.
"""

from collections import Counter
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import Track
from app.contract.policy import Policy
from app.contract.sealing import jws, keys
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.faults import Faults
from app.contract.sealing.policies import open_policy
from app.contract.sealing.records import (
    BINDING_TYPE,
    COMPLETION_TYPE,
    END_TYPE,
    RECEIPT_TYPE,
    RECORD_TYPE,
    Binding,
    Completion,
    End,
    Receipt,
    Record,
    genesis,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record whose signature holds. ``place`` counts from 0 in the chain, ``digest`` is its JWS's."""

    place: int
    digest: bytes
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Epoch:
    number: int
    key: Ed25519PublicKey


class Statements:
    """Checks one manifest. Call the ``check_…`` methods in the order in which they stand here."""

    def __init__(self, manifest: Manifest, faults: Faults) -> None:
        self._manifest = manifest
        self._faults = faults
        self._epochs: dict[str, _Epoch] = {}
        self._signer = 0
        self._receipted: set[bytes] = set()
        self._ended = self._completed = False
        self.policy: Policy | None = None
        self.entries: list[Entry] = []
        self.genesis = genesis(manifest.session, jws.digest(manifest.policy))
        self.heads: dict[bytes, int] = {self.genesis: 0}

    def check_policy(self, pin: str | None) -> None:
        """Check the policy. One that can't be believed is still read, so that all else can be checked too."""
        try:
            self.policy = open_policy(self._manifest.policy, self._manifest.institution_key, pin=pin)
        except IntegrityError as error:
            self._faults.add("policy", error.outcome, str(error))
            try:
                self.policy = jws.unverified(Policy, self._manifest.policy)
            except IntegrityError:
                return

    def check_bindings(self) -> None:
        """Check that the server bound epochs 0, 1, … of this session, each with a key of its own."""
        if not self._manifest.bindings:
            self._faults.add("bindings", Outcome.MISSING, "no binding says whose session this is")
        candidate: str | None = None
        for number, token in enumerate(self._manifest.bindings):
            where = f"binding {number}"
            with self._faults.collect(where):
                binding = jws.verify(Binding, token, self._receipt_key(), typ=BINDING_TYPE)
                candidate = binding.candidate if candidate is None else candidate
                self._check_binding(binding, number, candidate)
                key = keys.load_ed25519(binding.signing_key)
                if keys.key_id(key) in self._epochs:
                    raise IntegrityError(Outcome.BROKEN_CHAIN, "an epoch uses the key of an earlier one")
                self._epochs[keys.key_id(key)] = _Epoch(number=number, key=key)

    def _check_binding(self, binding: Binding, number: int, candidate: str) -> None:
        if binding.session != self._manifest.session:
            raise IntegrityError(Outcome.RECORD_MISMATCH, f"binds session {binding.session}")
        if binding.candidate != candidate:
            raise IntegrityError(Outcome.RECORD_MISMATCH, "binds another candidate than the first binding")
        if binding.policy != jws.digest(self._manifest.policy):
            raise IntegrityError(Outcome.WRONG_POLICY, "binds to another policy")
        if self.policy is not None and binding.exam != self.policy.exam:
            raise IntegrityError(Outcome.WRONG_POLICY, f"binds to exam {binding.exam}")
        if binding.epoch != number:
            raise IntegrityError(Outcome.BROKEN_CHAIN, f"binds epoch {binding.epoch}, expected {number}")

    def check_chain(self) -> None:
        """Check each record's signature, its link to the one before, and that no track skips a number."""
        head = self.genesis
        expected: Counter[tuple[int, Track]] = Counter()
        for place, token in enumerate(self._manifest.records):
            where = f"record {place}"
            digest = jws.digest(token)
            with self._faults.collect(where):
                epoch = self._epoch_of(token)
                record = jws.verify(Record, token, epoch.key, typ=RECORD_TYPE)
                self.entries.append(Entry(place=place, digest=digest, record=record))
                self._check_link(where, record, head, epoch.number)
                self._check_sequence(where, record, expected)
            # What follows is checked against what stands here, so that one gap counts as one fault.
            head = digest
            self.heads.setdefault(digest, place + 1)

    def _check_link(self, where: str, record: Record, head: bytes, signer: int) -> None:
        if record.session != self._manifest.session:
            self._faults.add(where, Outcome.RECORD_MISMATCH, f"speaks of session {record.session}")
        if record.previous != head:
            self._faults.add(where, Outcome.BROKEN_CHAIN, "does not follow the record before it")
        if signer < record.epoch or signer < self._signer:
            self._faults.add(where, Outcome.BROKEN_CHAIN, f"signed with the key of epoch {signer}, which had ended")
        self._signer = max(signer, self._signer)

    def _check_sequence(self, where: str, record: Record, expected: "Counter[tuple[int, Track]]") -> None:
        track = (record.epoch, record.track)
        if record.sequence != expected[track]:
            message = f"{record.track} of epoch {record.epoch} continues with {record.sequence}, not {expected[track]}"
            self._faults.add(where, Outcome.BROKEN_CHAIN, message)
        expected[track] = record.sequence + 1

    def check_receipts(self) -> None:
        """Check that each receipt speaks of a record of this chain and of that record's file."""
        by_digest = {entry.digest: entry.record for entry in self.entries}
        for number, token in enumerate(self._manifest.receipts):
            with self._faults.collect(f"receipt {number}", outcome=Outcome.BAD_RECEIPT):
                receipt = jws.verify(Receipt, token, self._receipt_key(), typ=RECEIPT_TYPE)
                record = by_digest.get(receipt.record)
                if receipt.session != self._manifest.session or record is None:
                    raise IntegrityError(Outcome.BAD_RECEIPT, "speaks of a record that is not in the chain")
                if (receipt.digest, receipt.size) != (record.digest, record.size):
                    raise IntegrityError(Outcome.BAD_RECEIPT, "the server stored another file than the record's")
                self._receipted.add(receipt.record)

    def check_end(self) -> None:
        """Check that the end, where there is one, names this chain's head and counts."""
        if self._manifest.end is None:
            if self._manifest.completion is not None:
                self._faults.add("end", Outcome.MISSING, "the server confirmed an end that is not here")
            return
        with self._faults.collect("end"):
            epoch = self._epoch_of(self._manifest.end)
            end = jws.verify(End, self._manifest.end, epoch.key, typ=END_TYPE)
            if end.session != self._manifest.session:
                raise IntegrityError(Outcome.RECORD_MISMATCH, f"ends session {end.session}")
            if epoch.number < self._signer:
                raise IntegrityError(Outcome.BROKEN_CHAIN, f"signed in epoch {epoch.number}, which had ended")
            if self.heads.get(end.head) != len(self._manifest.records) or end.records != len(self._manifest.records):
                raise IntegrityError(Outcome.BROKEN_CHAIN, f"the chain that ended has {end.records} records")
            if {track: count for track, count in end.segments.items() if count} != self.segments():
                raise IntegrityError(Outcome.RECORD_MISMATCH, "counts other segments than the chain holds")
            self._ended = True

    def check_completion(self) -> None:
        """Check that the completion, where there is one, confirms this end."""
        if self._manifest.completion is None:
            return
        with self._faults.collect("completion", outcome=Outcome.BAD_RECEIPT):
            token = self._manifest.completion
            completion = jws.verify(Completion, token, self._receipt_key(), typ=COMPLETION_TYPE)
            end = jws.digest(self._manifest.end) if self._manifest.end is not None else None
            if completion.session != self._manifest.session or completion.end != end:
                raise IntegrityError(Outcome.BAD_RECEIPT, "confirms another end")
            self._completed = True

    def segments(self) -> dict[str, int]:
        """Return how many records each track has."""
        return dict(Counter(str(entry.record.track) for entry in self.entries))

    def complete(self) -> bool:
        """Return whether end, completion and a receipt for every record are there and hold."""
        return self._ended and self._completed and len(self._receipted) == len(self._manifest.records)

    def _receipt_key(self) -> Ed25519PublicKey:
        if self.policy is None:
            raise IntegrityError(Outcome.UNKNOWN_KEY, "without a readable policy the server's key is not known")
        return keys.load_ed25519(self.policy.server.receipt_key)

    def _epoch_of(self, token: str) -> _Epoch:
        key_id = jws.key_id_of(token)
        if key_id not in self._epochs:
            raise IntegrityError(Outcome.UNKNOWN_KEY, f"signed with key {key_id}, which no binding names")
        return self._epochs[key_id]

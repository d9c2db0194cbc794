"""Opening a signed agreement: the one place that decides whether an allowance may be believed. Pure.

The application asks when it joins (``open_agreement``), an examiner's program when it reads the journal
(``AgreementReader``): a client could write anything into its journal, but not the institution's signature.
"""

from collections.abc import Iterable

from app.contract.agreement import Agreement, Allowance, described
from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import Track
from app.contract.journal import EntryType, decode_entries
from app.contract.policy import Policy
from app.contract.sealing import jws, keys
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.records import Binding, Record
from app.contract.sealing.segment import OpenedSegment

AGREEMENT_TYPE = "fairlock-agreement+v1"


def open_agreement(token: str, institution_key: bytes, *, exam: str, candidate: str) -> Agreement:
    """Check an agreement's JWS against the key that signed the exam's policy (65-byte P-256 point, already pinned).

    Raises ``IntegrityError``: ``UNKNOWN_KEY``, ``BAD_SIGNATURE``, ``BAD_FORMAT`` (also for an allowance this version
    does not know) or ``WRONG_POLICY`` (it is another exam's or candidate's, or contradicts itself). Whether it has
    expired is for the caller's clock.
    """
    agreement = jws.verify(Agreement, token, keys.load_p256(institution_key), typ=AGREEMENT_TYPE)
    if (agreement.exam, agreement.candidate) != (exam, candidate):
        raise IntegrityError(Outcome.WRONG_POLICY, "the agreement is another candidate's or another exam's")
    check_consistency(agreement)
    return agreement


class AgreementReader:
    """Collects what a session's journal says was granted, while a verifier opens its segments."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._tokens: list[str] = []

    def look(self, record: Record, opened: OpenedSegment | None) -> None:
        """Take one segment (``sealing.verify.OnSegment``)."""
        if opened is not None and record.track is Track.JOURNAL:
            self._tokens += _tokens(opened.fragments)

    def granted(self) -> tuple[str, ...]:
        """Return in short words what was granted; a claim without the institution's signature is said to be one."""
        said: list[str] = []
        for token in dict.fromkeys(self._tokens):
            try:
                policy = jws.unverified(Policy, self._manifest.policy)
                binding = jws.unverified(Binding, self._manifest.bindings[0])
                agreement = open_agreement(
                    token, self._manifest.institution_key, exam=policy.exam, candidate=binding.candidate
                )
            except (IntegrityError, IndexError) as error:
                said.append(f"NOT GENUINE ({error})")
            else:
                said += described(agreement)
        return tuple(said)


def _tokens(fragments: Iterable[bytes]) -> list[str]:
    found = []
    for fragment in fragments:
        try:
            entries = decode_entries(fragment)
        except IntegrityError:
            continue  # what a journal says is not the verifier's business; it is shown where it is read
        found += [str(entry.body.get("jws", "")) for entry in entries if entry.type is EntryType.AGREEMENT]
    return found


def check_consistency(agreement: Agreement) -> None:
    """Refuse what limits of single fields can't express; raises ``IntegrityError(WRONG_POLICY)``."""
    if agreement.expires_ms <= agreement.issued_ms:
        raise IntegrityError(Outcome.WRONG_POLICY, "the agreement expires before it was issued")
    if len(set(agreement.allowances)) != len(agreement.allowances):
        raise IntegrityError(Outcome.WRONG_POLICY, "an allowance stands in the agreement twice")
    if bool(agreement.breaks_s) != (Allowance.BREAKS in agreement.allowances):
        raise IntegrityError(Outcome.WRONG_POLICY, "breaks and their length go together")

"""Checks a session's grants beside its evidence, and opens segments with the wraps of an added recipient. Pure.

Belongs to one verifier run. What it finds never becomes a fault of the evidence: whoever adds a bad grant must not be
able to spoil a good recording.
"""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec

from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing import segment
from app.contract.sealing.evidence import GrantFinding, Manifest, segment_name
from app.contract.sealing.grants import OpenedGrant, ReadGrants, SignedGrant, check_records, open_grant
from app.contract.sealing.segment import ParsedSegment
from app.contract.sealing.statements import Entry, Statements


class GrantChecker:
    """The grants of one session. ``statements`` have been checked up to the chain."""

    def __init__(self, manifest: Manifest, statements: Statements, read: ReadGrants | None) -> None:
        self._manifest, self._statements = manifest, statements
        self._findings: list[GrantFinding] = []
        self._sound: list[tuple[int, OpenedGrant]] = []
        try:
            found = read() if read is not None else None
        except IntegrityError as error:
            self._note("grants", error)
            return
        records = {entry.digest for entry in statements.entries}
        for number, signed in enumerate(found.grants if found is not None else ()):
            self._take(number, signed, records)

    def names(self, key_id: str) -> bool:
        """Return whether a sound grant names this key."""
        return any(opened.grant.recipient.id == key_id for _number, opened in self._sound)

    def unwrap(
        self, entry: Entry, parsed: ParsedSegment, private_key: ec.EllipticCurvePrivateKey, mine: str
    ) -> bytes | None:
        """Return a segment's data key for the added recipient ``mine``, or ``None`` where no grant opens it.

        A wrap that does not open spoils the finding of its grant alone; another grant may still hold a good one.
        """
        for number, opened in self._sound:
            wrap = opened.wraps.get(entry.digest) if opened.grant.recipient.id == mine else None
            if wrap is None:
                continue
            try:
                return segment.unwrap_granted(parsed, wrap, private_key)
            except IntegrityError as error:
                self._spoil(number, error.outcome, f"{segment_name(entry.record)}: {error}")
        return None

    def findings(self) -> tuple[GrantFinding, ...]:
        """Return what is known of each grant by now, in the order of the file."""
        return tuple(self._findings)

    def _take(self, number: int, signed: SignedGrant, records: set[bytes]) -> None:
        try:
            policy = self._statements.policy
            if policy is None:
                raise IntegrityError(
                    Outcome.UNKNOWN_KEY, "without a readable policy nobody is known who may add others"
                )
            opened = open_grant(
                signed, session=self._manifest.session, policy_token=self._manifest.policy, policy=policy
            )
            check_records(opened, records)
        except IntegrityError as error:
            self._note(f"grant {number}", error)
            return
        self._sound.append((len(self._findings), opened))
        self._findings.append(
            GrantFinding(
                outcome=Outcome.OK,
                where=f"grant {number}",
                message="",
                recipient=opened.grant.recipient.name,
                recipient_id=opened.grant.recipient.id,
                granter=opened.granter.name,
                granted_ms=opened.grant.granted_ms,
                segments=len(opened.wraps),
            )
        )

    def _note(self, where: str, error: IntegrityError) -> None:
        self._findings.append(GrantFinding(outcome=error.outcome, where=where, message=str(error)))

    def _spoil(self, at: int, outcome: Outcome, message: str) -> None:
        if (before := self._findings[at]).outcome == Outcome.OK:
            self._findings[at] = replace(before, outcome=outcome, message=message)

"""Recipients added later: a policy's recipient wrapped a session's data keys again for somebody else. Pure; no files.

::

    grants.json   {"version": 1, "grants": [{"statement": JWS of a Grant, "wraps": {record ‖ enc ‖ ct}*}]}

The evidence is not touched: a grant stands beside it, and a bad one is a finding of its own, never a fault of the
evidence. It is signed with the key of a recipient whom the policy names (ES256), so that a server can drop a grant but
can't make one. Each wrap is bound by HPKE's ``info`` to the header of its segment. Nothing here makes a grant; the
console does, in the examiner's page.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from app.contract.errors import IntegrityError, Outcome
from app.contract.policy import Policy, Recipient
from app.contract.schema import setting
from app.contract.sealing import jws, keys
from app.contract.sealing.records import FORMAT_VERSION

GRANT_TYPE = "fairlock-grant+v1"
DIGEST_BYTES = 32
WRAP_BYTES = DIGEST_BYTES + 113
MAX_WRAPS = 20_000
"""Wraps in one grant; a longer session takes several. Some six hours of five tracks."""
MAX_GRANTS = 32
LAST_MS = 253_402_300_799_999
"""The end of the year 9999, so that every reader can write the time as a date."""
INFO = b"fairlock-grant-v1\0"
"""HPKE's ``info`` of a wrap is this and the segment's header as it stands in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A recipient's word that somebody else may open these segments, too. ``kid`` of its JWS says whose word it is."""

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    policy: bytes = setting(doc="SHA-256 of the policy's JWS.", minimum=DIGEST_BYTES, maximum=DIGEST_BYTES)
    recipient: Recipient = setting(doc="Whom it is for.")
    wraps: bytes = setting(doc="SHA-256 of the wraps.", minimum=DIGEST_BYTES, maximum=DIGEST_BYTES)
    granted_ms: int = setting(doc="Clock of the computer it was made on.", minimum=0, maximum=LAST_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedGrant:
    """A grant with its wraps: for each segment the record's digest (32 bytes), enc (65) and ciphertext (48)."""

    statement: str = setting(doc="The grant's JWS.", maximum=16_384)
    wraps: bytes = setting(doc="The wraps, joined.", minimum=WRAP_BYTES, maximum=MAX_WRAPS * WRAP_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """All grants of a session, in the order in which the server took them: ``grants.json``."""

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    grants: tuple[SignedGrant, ...] = setting((), doc="The grants.", maximum=MAX_GRANTS)


ReadGrants: TypeAlias = Callable[[], Grants | None]
"""Returns a session's grants, ``None`` where there are none; raises ``IntegrityError`` for what can't be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedGrant:
    """A grant whose signature and wraps hold; ``wraps`` maps a record's digest to enc ‖ ct."""

    grant: Grant
    granter: Recipient
    wraps: Mapping[bytes, bytes]


def open_grant(signed: SignedGrant, *, session: str, policy_token: str, policy: Policy) -> OpenedGrant:
    """Check all of a grant that can be checked without a private key and without the segments.

    Raises ``IntegrityError``: ``UNKNOWN_KEY`` (no recipient of the policy signed it), ``BAD_SIGNATURE``,
    ``BAD_FORMAT``, ``RECORD_MISMATCH`` (another session's; a segment twice), ``WRONG_POLICY``, ``WRONG_RECIPIENT``
    (its id is not its key's, or the policy names it already) or ``DIGEST_MISMATCH`` (other wraps than were signed).
    """
    kid = jws.key_id_of(signed.statement)
    granter = next((recipient for recipient in policy.recipients if recipient.id == kid), None)
    if granter is None:
        raise IntegrityError(Outcome.UNKNOWN_KEY, f"signed with key {kid}, which is no recipient's of the policy")
    grant = jws.verify(Grant, signed.statement, keys.load_p256(granter.key), typ=GRANT_TYPE)
    if grant.session != session:
        raise IntegrityError(Outcome.RECORD_MISMATCH, f"speaks of session {grant.session}")
    if grant.policy != jws.digest(policy_token):
        raise IntegrityError(Outcome.WRONG_POLICY, "was made under another policy")
    if keys.key_id(keys.load_p256(grant.recipient.key)) != grant.recipient.id:
        raise IntegrityError(Outcome.WRONG_RECIPIENT, "the recipient's id is not its key's")
    if any(recipient.id == grant.recipient.id for recipient in policy.recipients):
        raise IntegrityError(Outcome.WRONG_RECIPIENT, "the policy names this recipient already")
    return OpenedGrant(grant=grant, granter=granter, wraps=_wraps(signed.wraps, grant.wraps))


def check_records(opened: OpenedGrant, records: Collection[bytes]) -> None:
    """Check that each wrap is of a record in ``records`` (digests); raises ``IntegrityError(RECORD_MISMATCH)``."""
    strange = sum(1 for record in opened.wraps if record not in records)
    if strange:
        raise IntegrityError(Outcome.RECORD_MISMATCH, f"wraps {strange} keys of segments that are not in the chain")


def _wraps(data: bytes, digest: bytes) -> dict[bytes, bytes]:
    if sha256(data).digest() != digest:
        raise IntegrityError(Outcome.DIGEST_MISMATCH, "the wraps are not those that were signed")
    if len(data) % WRAP_BYTES:
        raise IntegrityError(Outcome.BAD_FORMAT, "the wraps are cut off")
    pieces = [data[at : at + WRAP_BYTES] for at in range(0, len(data), WRAP_BYTES)]
    wraps = {piece[:DIGEST_BYTES]: piece[DIGEST_BYTES:] for piece in pieces}
    if len(wraps) != len(pieces):
        raise IntegrityError(Outcome.RECORD_MISMATCH, "a segment stands in the grant twice")
    return wraps

"""Makes grants as the console does, for tests of the server: opens each segment's key and wraps it anew."""

import hashlib
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric import ec

from app.contract import canonical, schema
from app.contract.policy import Recipient
from app.contract.sealing import jws, segment
from app.contract.sealing.grants import GRANT_TYPE, Grant, SignedGrant
from app.contract.sealing.keys import key_id, public_bytes
from app.contract.sealing.records import FORMAT_VERSION
from tests.vectors import forge


def recipient(key: ec.EllipticCurvePrivateKey, name: str = "Second examiner") -> Recipient:
    """Return somebody who holds ``key``."""
    public = key.public_key()
    return Recipient(id=key_id(public), name=name, key=public_bytes(public))


def wrap(record: str, data: bytes, examiner: ec.EllipticCurvePrivateKey, added: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a segment's wrap for ``added``: digest of its record ‖ enc ‖ ct."""
    parsed = segment.parse(data)
    info = b"fairlock-grant-v1\0" + parsed.header_bytes
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    data_key = segment.unwrap(parsed.header, examiner)
    return jws.digest(record) + forge.hpke_seal(added.public_key(), ephemeral, data_key, info)


def grant(
    session: str,
    policy_token: str,
    wraps: Sequence[bytes],
    *,
    by: ec.EllipticCurvePrivateKey,
    to: Recipient,
    granted_ms: int = 1_800_000_000_000,
) -> SignedGrant:
    """Return a signed grant of ``wraps``."""
    joined = b"".join(wraps)
    said = Grant(
        version=FORMAT_VERSION,
        session=session,
        policy=jws.digest(policy_token),
        recipient=to,
        wraps=hashlib.sha256(joined).digest(),
        granted_ms=granted_ms,
    )
    return SignedGrant(statement=jws.sign(said, by, typ=GRANT_TYPE), wraps=joined)


def body(signed: SignedGrant) -> Mapping[str, canonical.Json]:
    """Return a grant as the server takes it."""
    value = schema.to_json(signed)
    assert isinstance(value, dict)
    return value

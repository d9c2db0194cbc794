"""Compact JWS (RFC 7515) with exactly two algorithms: EdDSA over Ed25519 (RFC 8037) and ES256 (RFC 7518).

The protected header is always ``{"alg", "kid", "typ"}`` in canonical form; ``typ`` separates the domains, so that a
receipt can't be passed off as a record. The algorithm follows from the key that the verifier chose, never from
the header.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from app.contract import canonical, schema
from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing.keys import PublicSigningKey, SigningKey, key_id

T = TypeVar("T")

MAX_JWS = 256 * 1024
_LONGEST_HEAD = 512
"""Characters of a header that is worth remembering; ours has some 150, and nobody may fill the memory with theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    alg: str
    kid: str
    typ: str


def sign(payload: object, key: SigningKey, *, typ: str) -> str:
    """Return the compact JWS of a contract dataclass, signed with ``key``."""
    head = _written(_Header(alg=_algorithm(key), kid=key_id(key.public_key()), typ=typ))
    signed = f"{head}.{canonical.b64(schema.dumps(payload))}"
    if isinstance(key, Ed25519PrivateKey):
        signature = key.sign(signed.encode())
    else:
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{signed}.{canonical.b64(signature)}"


def verify(cls: type[T], token: str, key: PublicSigningKey, *, typ: str) -> T:
    """Check ``token`` against ``key`` and return its payload.

    Raises ``IntegrityError`` with ``BAD_FORMAT``, ``UNKNOWN_KEY`` (made with another key) or ``BAD_SIGNATURE``.
    """
    head, body, last = _parts(token)
    header, signed, signature = _read(head), f"{head}.{body}", canonical.unb64(last)
    if header.typ != typ or header.alg != _algorithm(key):
        raise IntegrityError(Outcome.BAD_SIGNATURE, f"signed as {header.typ} with {header.alg}, expected {typ}")
    if header.kid != key_id(key):
        raise IntegrityError(Outcome.UNKNOWN_KEY, f"signed with key {header.kid}")
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, signed.encode())
        else:
            if len(signature) != 64:
                raise InvalidSignature
            der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            key.verify(der, signed.encode(), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise IntegrityError(Outcome.BAD_SIGNATURE, "the signature does not fit") from None
    return schema.loads(cls, canonical.unb64(body))


def unverified(cls: type[T], token: str) -> T:
    """Return the payload without checking the signature; only to find out which key to check with."""
    return schema.loads(cls, canonical.unb64(_parts(token)[1]))


def key_id_of(token: str) -> str:
    """Return the id of the key that ``token`` says it was signed with."""
    head, _body, last = _parts(token)
    canonical.unb64(last)
    return _read(head).kid


def digest(token: str) -> bytes:
    """Return SHA-256 of the compact form: what chains and receipts refer to."""
    return sha256(token.encode()).digest()


def _algorithm(key: SigningKey | PublicSigningKey) -> str:
    return "EdDSA" if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey) else "ES256"


def _parts(token: str) -> list[str]:
    parts = token.split(".")
    if len(parts) != 3 or len(token) > MAX_JWS or not token.isascii():
        raise IntegrityError(Outcome.BAD_FORMAT, "not a compact JWS")
    return parts


def _read(head: str) -> _Header:
    return _read_short(head) if len(head) <= _LONGEST_HEAD else _read_any(head)


def _read_any(head: str) -> _Header:
    return schema.loads(_Header, canonical.unb64(head))


# All that one key signs of one kind has the same header: a server reads it some hundred times a second.
_read_short = lru_cache(maxsize=1024)(_read_any)


@lru_cache(maxsize=64)
def _written(header: _Header) -> str:
    return canonical.b64(schema.dumps(header))

"""Keys: their ids, their encodings, and an examiner's private key under a passphrase.

A key's id is base64url(SHA-256(public key bytes)); the bytes are the raw 32 for Ed25519 and the 65-byte
uncompressed point for P-256.
"""

import hashlib
import os
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from app.contract import canonical
from app.contract.errors import IntegrityError, Outcome, UserFacing
from app.contract.schema import setting

PublicSigningKey: TypeAlias = Ed25519PublicKey | ec.EllipticCurvePublicKey
SigningKey: TypeAlias = Ed25519PrivateKey | ec.EllipticCurvePrivateKey

PBKDF2_ROUNDS = 600_000


def public_bytes(key: PublicSigningKey) -> bytes:
    """Return the raw 32 bytes (Ed25519) or the 65-byte uncompressed point (P-256)."""
    if isinstance(key, Ed25519PublicKey):
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def key_id(key: PublicSigningKey) -> str:
    """Return the key's thumbprint: base64url(SHA-256(public bytes)), 43 characters."""
    return canonical.b64(sha256(public_bytes(key)).digest())


def load_ed25519(data: bytes) -> Ed25519PublicKey:
    """Read a raw Ed25519 public key; raises ``IntegrityError(BAD_FORMAT)``."""
    try:
        return Ed25519PublicKey.from_public_bytes(data)
    except ValueError as error:
        raise IntegrityError(Outcome.BAD_FORMAT, "not an Ed25519 public key") from error


def load_p256(data: bytes) -> ec.EllipticCurvePublicKey:
    """Read an uncompressed P-256 point; raises ``IntegrityError(BAD_FORMAT)``."""
    try:
        if len(data) != 65:  # the library takes compressed points, too; a key has one encoding here
            raise ValueError
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    except ValueError as error:
        raise IntegrityError(Outcome.BAD_FORMAT, "not a P-256 public key") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedKey:
    """A P-256 private key (PKCS #8 DER) under a passphrase: PBKDF2-HMAC-SHA-512, then AES-256-GCM.

    The AEAD's associated data is ``id`` in ASCII, so a blob can't be passed off as another key's.
    """

    id: str = setting(doc="Thumbprint of the public key.", minimum=43, maximum=43)
    public: bytes = setting(doc="Uncompressed P-256 point.", minimum=65, maximum=65)
    rounds: int = setting(doc="PBKDF2 rounds.", minimum=1_000, maximum=10_000_000)
    salt: bytes = setting(doc="PBKDF2 salt.", minimum=16, maximum=16)
    nonce: bytes = setting(doc="AES-GCM nonce.", minimum=12, maximum=12)
    sealed: bytes = setting(doc="The sealed PKCS #8 key.", minimum=32, maximum=1_000)


def protect(key: ec.EllipticCurvePrivateKey, passphrase: str, *, rounds: int = PBKDF2_ROUNDS) -> ProtectedKey:
    """Put a private key under ``passphrase``; WebCrypto alone can open it."""
    salt, nonce = os.urandom(16), os.urandom(12)
    identity = key_id(key.public_key())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = AESGCM(_stretch(passphrase, salt, rounds)).encrypt(nonce, der, identity.encode())
    public = public_bytes(key.public_key())
    return ProtectedKey(id=identity, public=public, rounds=rounds, salt=salt, nonce=nonce, sealed=sealed)


def unprotect(blob: ProtectedKey, passphrase: str) -> ec.EllipticCurvePrivateKey:
    """Open a protected key.

    Raises ``UserFacing`` when the passphrase is wrong, ``IntegrityError(BAD_FORMAT)`` when the key is not what it says.
    """
    kek = _stretch(passphrase, blob.salt, blob.rounds)
    try:
        der = AESGCM(kek).decrypt(blob.nonce, blob.sealed, blob.id.encode())
    except InvalidTag:
        raise UserFacing(
            "The passphrase does not open this key.", advice="Check it and try again.", code="E-PASSPHRASE"
        ) from None
    try:
        key = load_der_private_key(der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IntegrityError(Outcome.BAD_FORMAT, "the protected key is not a PKCS #8 key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IntegrityError(Outcome.BAD_FORMAT, "the protected key is not on curve P-256")
    if key_id(key.public_key()) != blob.id or public_bytes(key.public_key()) != blob.public:
        raise IntegrityError(Outcome.BAD_FORMAT, "the protected key is another than its id says")
    return key


def _stretch(passphrase: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", passphrase.encode("utf-8"), salt, rounds, 32)

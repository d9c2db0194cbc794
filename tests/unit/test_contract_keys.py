"""Keys: thumbprints, encodings, and private keys under a passphrase."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.contract import schema
from app.contract.errors import IntegrityError, Outcome, UserFacing
from app.contract.sealing import keys
from tests.vectors import forge

ROUNDS = 1_000
KEY = forge.p256("examiner")


def test_rounds_are_what_owasp_asks_for() -> None:
    # PBKDF2-HMAC-SHA-512: 210,000 at least (OWASP Password Storage Cheat Sheet); ours is the figure for SHA-256.
    assert keys.PBKDF2_ROUNDS >= 600_000


def test_protected_key_opens_with_its_passphrase() -> None:
    blob = keys.protect(KEY, "correct horse", rounds=ROUNDS)
    assert keys.unprotect(blob, "correct horse").private_numbers() == KEY.private_numbers()
    assert blob.id == keys.key_id(KEY.public_key())


@pytest.mark.parametrize("passphrase", ["", "correct hors", "correct horse ", "Correct horse"])
def test_protected_key_stays_closed_to_another(passphrase: str) -> None:
    blob = keys.protect(KEY, "correct horse", rounds=ROUNDS)
    with pytest.raises(UserFacing) as caught:
        keys.unprotect(blob, passphrase)
    assert caught.value.code == "E-PASSPHRASE"


def test_two_protections_of_one_key_share_nothing() -> None:
    first, second = (keys.protect(KEY, "correct horse", rounds=ROUNDS) for _ in range(2))
    assert first.salt != second.salt
    assert first.nonce != second.nonce
    assert first.sealed != second.sealed


@pytest.mark.parametrize("field", ["id", "rounds", "salt", "nonce", "sealed"])
def test_protected_key_changed_in_a_field_does_not_open(field: str) -> None:
    blob = keys.protect(KEY, "correct horse", rounds=ROUNDS)
    changed: dict[str, Any] = {
        "id": forge.key_id(forge.p256("stranger")),
        "rounds": ROUNDS + 1,
        "salt": bytes(16),
        "nonce": bytes(12),
        "sealed": blob.sealed[:-1] + bytes([blob.sealed[-1] ^ 1]),
    }
    with pytest.raises(UserFacing):
        keys.unprotect(replace(blob, **{field: changed[field]}), "correct horse")


def _sealed_for(key: ec.EllipticCurvePrivateKey, identity: str) -> keys.ProtectedKey:
    """Return ``key`` sealed under another key's name, by somebody who knows the passphrase."""
    blob = keys.protect(KEY, "correct horse", rounds=ROUNDS)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = AESGCM(keys._stretch("correct horse", blob.salt, ROUNDS)).encrypt(blob.nonce, der, identity.encode())
    return replace(blob, sealed=sealed)


@pytest.mark.parametrize(
    "key", [forge.p256("stranger"), ec.generate_private_key(ec.SECP384R1())], ids=["other key", "other curve"]
)
def test_protected_key_that_holds_another_key_is_refused(key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(IntegrityError) as caught:
        keys.unprotect(_sealed_for(key, keys.key_id(KEY.public_key())), "correct horse")
    assert caught.value.outcome == Outcome.BAD_FORMAT


def test_the_vectors_key_files_open() -> None:
    folder = Path(__file__).parents[1] / "vectors"
    for entry in json.loads((folder / "index.json").read_text("utf-8")):
        if entry["key"]:
            blob = schema.loads(keys.ProtectedKey, (folder / entry["key"]).read_bytes())
            assert keys.key_id(keys.unprotect(blob, entry["passphrase"]).public_key()) == blob.id


@pytest.mark.parametrize("data", [b"", bytes(65), b"\4" + b"\1" * 64, b"\2" + bytes(32), forge.public(KEY)[:64]])
def test_bytes_that_are_no_point_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        keys.load_p256(data)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_bytes_that_are_no_ed25519_key_are_refused(size: int) -> None:
    with pytest.raises(IntegrityError):
        keys.load_ed25519(bytes(size))

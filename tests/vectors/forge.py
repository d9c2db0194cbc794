"""A second writer of the evidence format, made from ``docs/evidence-format.md`` alone and free to break any rule of it.

Nothing of ``app`` is imported: what this writes and ``app.contract.sealing`` reads (and the other way round) is checked
twice. Every key and every random value follows from a seed, so that the same call writes the same bytes.
"""

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SUITE_NAME = "HPKE-P256-SHA256-AES256GCM/SFrame-5"
TRACKS = {"camera": 1, "screen": 2, "microphone": 3, "journal": 4, "pictures": 5}


def seeded(name: str, length: int = 32) -> bytes:
    """Return ``length`` (at most 64) bytes that stand for randomness."""
    return hashlib.sha512(b"fairlock test vector: " + name.encode()).digest()[:length]


def p256(name: str) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key called ``name``."""
    return ec.derive_private_key(int.from_bytes(seeded(name), "big") % (P256_ORDER - 1) + 1, ec.SECP256R1())


def ed(name: str) -> ed25519.Ed25519PrivateKey:
    """Return the Ed25519 key called ``name``."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(seeded(name))


def public(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """Return the public key's bytes: 65 for P-256, 32 for Ed25519."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def b64(data: bytes) -> str:
    """Return unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return the bytes of unpadded base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_id(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    """Return the key's thumbprint."""
    return b64(hashlib.sha256(public(key)).digest())


def canonical(value: Any) -> bytes:
    """Return canonical JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def token(
    payload: Mapping[str, Any],
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    typ: str,
    *,
    kid: str | None = None,
) -> str:
    """Return a compact JWS. ``kid`` lies about the key."""
    alg = "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256"
    header = {"alg": alg, "kid": kid or key_id(key), "typ": typ}
    signed = f"{b64(canonical(header))}.{b64(canonical(payload))}"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(signed.encode())
    else:
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256(), deterministic_signing=True)))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{signed}.{b64(signature)}"


def token_digest(text: str) -> bytes:
    """Return the digest by which chains and receipts name a JWS."""
    return hashlib.sha256(text.encode()).digest()


# --- HPKE, base mode, single shot (RFC 9180), DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 ------------------------------

_KEM_SUITE = b"KEM" + struct.pack(">H", 0x0010)


def _extract(salt: bytes, suite: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(prk: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]


def hpke_context(shared: bytes, info: bytes, *, aead: int, key_bytes: int) -> tuple[bytes, bytes]:
    """Return key and base nonce of the key schedule (RFC 9180 section 5.1, mode 0)."""
    suite = b"HPKE" + struct.pack(">HHH", 0x0010, 0x0001, aead)
    context = b"\0" + _extract(b"", suite, b"psk_id_hash", b"") + _extract(b"", suite, b"info_hash", info)
    secret = _extract(shared, suite, b"secret", b"")
    return _expand(secret, suite, b"key", context, key_bytes), _expand(secret, suite, b"base_nonce", context, 12)


def hpke_shared(dh: bytes, enc: bytes, recipient: bytes) -> bytes:
    """Return DHKEM's shared secret (section 4.1)."""
    prk = _extract(b"", _KEM_SUITE, b"eae_prk", dh)
    return _expand(prk, _KEM_SUITE, b"shared_secret", enc + recipient, 32)


def hpke_seal(
    recipient: ec.EllipticCurvePublicKey,
    ephemeral: ec.EllipticCurvePrivateKey,
    plaintext: bytes,
    info: bytes,
    aad: bytes = b"",
    *,
    aead: int = 2,
) -> bytes:
    """Return enc ‖ ct for sequence 0. ``aead``: 1 is AES-128-GCM, 2 is AES-256-GCM."""
    enc = public(ephemeral)
    point = recipient.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = hpke_shared(ephemeral.exchange(ec.ECDH(), recipient), enc, point)
    key, nonce = hpke_context(shared, info, aead=aead, key_bytes=16 if aead == 1 else 32)
    return enc + AESGCM(key).encrypt(nonce, plaintext, aad)


# --- SFrame (RFC 9605), suite 5 ------------------------------------------------------------------------------------


def sframe_seal(base_key: bytes, kid: int, counter: int, plaintext: bytes, metadata: bytes) -> bytes:
    """Return one SFrame; ``kid`` below 8, ``counter`` below 65,536."""
    secret = hmac.digest(bytes(64), base_key, "sha512")
    suffix = struct.pack(">QH", kid, 5) + b"\x01"
    key = hmac.digest(secret, b"SFrame 1.0 Secret key " + suffix, "sha512")[:32]
    salt = hmac.digest(secret, b"SFrame 1.0 Secret salt " + suffix, "sha512")[:12]
    if counter < 8:
        header = bytes([kid << 4 | counter])
    elif counter < 256:
        header = bytes([kid << 4 | 8, counter])
    else:
        header = bytes([kid << 4 | 9]) + counter.to_bytes(2, "big")
    nonce = bytes(a ^ b for a, b in zip(salt, counter.to_bytes(12, "big"), strict=True))
    return header + AESGCM(key).encrypt(nonce, plaintext, header + metadata)


# --- segments ------------------------------------------------------------------------------------------------------


def segment(
    header: Mapping[str, Any],
    recipients: Sequence[ec.EllipticCurvePrivateKey],
    plaintexts: Sequence[bytes],
    *,
    final: bool = True,
    data_keys: Mapping[str, bytes] | None = None,
    edits_after_wrap: Mapping[str, Any] | None = None,
) -> bytes:
    """Return a segment file.

    ``header`` lacks suite, commitment and wraps (or overrides them). ``data_keys`` gives a recipient's id another key
    than the one committed to; ``edits_after_wrap`` changes the header once the wraps are made.
    """
    name = f"{header['session']} {header['epoch']} {header['track']} {header['sequence']}"
    data_key = seeded(f"data key {name}")
    commitment = b64(hashlib.sha256(b"fairlock-commit-v1\0" + data_key).digest())
    bare = {"suite": SUITE_NAME, "version": 1, "commitment": commitment, **header, "wraps": []}
    info = b"fairlock-segment-v1\0" + canonical(bare)
    wraps = []
    for recipient in recipients:
        identity = key_id(recipient)
        wrapped = (data_keys or {}).get(identity, data_key)
        ephemeral = p256(f"ephemeral {name} {identity}")
        wraps.append({"recipient": identity, "key": b64(hpke_seal(recipient.public_key(), ephemeral, wrapped, info))})
    encoded = canonical({**bare, "wraps": wraps, **(edits_after_wrap or {})})
    data = b"FLS1" + struct.pack(">I", len(encoded)) + encoded
    bound = hashlib.sha256(encoded).digest()
    for index, plaintext in enumerate(plaintexts):
        last = final and index == len(plaintexts) - 1
        metadata = bound + struct.pack(">IB", index, last)
        sealed = sframe_seal(data_key, TRACKS[header["track"]], index, plaintext, metadata)
        data += struct.pack(">I", len(sealed)) + sealed
    return data


def split(data: bytes) -> list[bytes]:
    """Return a segment file's preamble and its length-prefixed fragments."""
    at = 8 + int.from_bytes(data[4:8], "big")
    pieces = [data[:at]]
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        pieces.append(data[at:end])
        at = end
    return pieces


def protected_key(name: str, passphrase: str, *, rounds: int = 1_000) -> dict[str, Any]:
    """Return the P-256 key ``name`` under ``passphrase``."""
    key = p256(name)
    salt, nonce = seeded(f"salt {name}", 16), seeded(f"nonce {name}", 12)
    kek = hashlib.pbkdf2_hmac("sha512", passphrase.encode(), salt, rounds, 32)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = AESGCM(kek).encrypt(nonce, der, key_id(key).encode())
    return {
        "id": key_id(key),
        "public": b64(public(key)),
        "rounds": rounds,
        "salt": b64(salt),
        "nonce": b64(nonce),
        "sealed": b64(sealed),
    }

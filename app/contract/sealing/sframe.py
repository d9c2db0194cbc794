"""SFrame (RFC 9605) with cipher suite 0x0005, AES_256_GCM_SHA512_128."""

import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.contract.errors import IntegrityError, Outcome

SUITE = 0x0005
TAG_BYTES = 16
SALT_BYTES = 12


class SFrameKey:
    """The key and salt derived from a base key for one key id (RFC 9605 section 4.4.2).

    What can be overwritten of them is, by ``wipe``; ``base_key`` is its owner's to overwrite. docs/threat-model.md says
    what stays in memory all the same.
    """

    def __init__(self, base_key: bytes | bytearray, key_id: int) -> None:
        self.key_id = key_id
        # All of a header before the counter depends on how many bytes that has: computed once, not per fragment.
        self._heads = [b"", *(encode_header(key_id, 256**size - 1)[:-size] for size in range(1, 9))]
        suffix = struct.pack(">QH", key_id, SUITE)
        key, self.salt = bytearray(32), bytearray(SALT_BYTES)
        HKDF(SHA512(), len(key), None, b"SFrame 1.0 Secret key " + suffix).derive_into(base_key, key)
        HKDF(SHA512(), len(self.salt), None, b"SFrame 1.0 Secret salt " + suffix).derive_into(base_key, self.salt)
        self._aead: AESGCM | None = AESGCM(key)
        overwrite(key)  # the cipher has a copy of its own

    def wipe(self) -> None:
        """Overwrite the salt and let go of the cipher, whose library clears its copy; sealing and opening fail then."""
        overwrite(self.salt)
        self._aead = None

    def seal(self, counter: int, plaintext: bytes, metadata: bytes, room: int = 0) -> bytearray:
        """Return ``room`` zeros ‖ header ‖ ciphertext ‖ tag; a counter must never be used twice with one key.

        In one piece, with room for what a caller puts before it: no byte of media is copied but by the cipher.
        """
        cipher, nonce = self._place(counter)
        header = self._header(counter)
        begin = room + len(header)
        sealed = bytearray(begin + len(plaintext) + TAG_BYTES)
        sealed[room:begin] = header
        cipher.encrypt_into(nonce, plaintext, header + metadata, memoryview(sealed)[begin:])
        return sealed

    def open(self, counter: int, data: bytes, metadata: bytes) -> bytes:
        """Open the ciphertext that must stand at ``counter``; raises ``IntegrityError(BAD_FRAGMENT)``."""
        header = self._header(counter)
        if not data.startswith(header):
            raise IntegrityError(Outcome.BAD_FRAGMENT, f"fragment {counter} is of another place or track")
        cipher, nonce = self._place(counter)
        try:
            return cipher.decrypt(nonce, memoryview(data)[len(header) :], header + metadata)
        except InvalidTag:
            raise IntegrityError(Outcome.BAD_FRAGMENT, f"fragment {counter} was changed") from None

    def _place(self, counter: int) -> tuple[AESGCM, bytes]:
        """Return the cipher and the nonce, the salt XOR ``counter`` (RFC 9605 section 4.4.3)."""
        if self._aead is None:
            raise ValueError("the key was wiped")
        return self._aead, (int.from_bytes(self.salt) ^ counter).to_bytes(SALT_BYTES)

    def _header(self, counter: int) -> bytes:
        """Return ``encode_header(self.key_id, counter)``, of which all but the counter is known by its length."""
        if counter < 8:
            return encode_header(self.key_id, counter)
        size = (counter.bit_length() + 7) // 8
        return self._heads[size] + counter.to_bytes(size)


def overwrite(secret: bytearray) -> None:
    """Fill ``secret`` with zeros where it lies."""
    secret[:] = bytes(len(secret))


def encode_header(key_id: int, counter: int) -> bytes:
    """Return the SFrame header (RFC 9605 section 4.3): one config byte, then long forms of KID and CTR."""
    kid_bits, kid_bytes = _field(key_id)
    ctr_bits, ctr_bytes = _field(counter)
    return bytes([kid_bits << 4 | ctr_bits]) + kid_bytes + ctr_bytes


def _field(value: int) -> tuple[int, bytes]:
    if value < 8:
        return value, b""
    encoded = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return 8 | (len(encoded) - 1), encoded

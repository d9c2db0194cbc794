"""Searches a process's own memory for the key of a segment that it seals (Linux). Run as a program by its test.

Prints two counts: copies of the derived key while a segment is open, and, of another one, after its final fragment.
"""

import os
import struct
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.contract.incidents import TRACK_KEY_IDS, Track
from app.contract.sealing import segment
from app.contract.sealing.sframe import SUITE, overwrite
from tests.unit.capture_parts import new_sealer

_MASK = b"\xa5" * 32


class _Noting:
    """Stands in for ``os`` in the sealer: notes each key that it hands out, masked, so as not to be found itself."""

    masked = b""

    def urandom(self, size: int) -> bytes:
        key = os.urandom(size)
        self.masked = bytes(one ^ other for one, other in zip(key, _MASK, strict=True))
        return key


def _derived(masked: bytes) -> bytearray:
    base, key = bytearray(one ^ other for one, other in zip(masked, _MASK, strict=True)), bytearray(32)
    label = b"SFrame 1.0 Secret key " + struct.pack(">QH", TRACK_KEY_IDS[Track.CAMERA], SUITE)
    HKDF(SHA512(), 32, None, label).derive_into(base, key)
    overwrite(base)
    return key


def _copies(key: bytearray) -> int:
    found = 0
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:
        for line in Path("/proc/self/maps").read_text().splitlines():
            place, rights, *_rest = line.split()
            first, last = (int(number, 16) for number in place.split("-"))
            if "w" not in rights:
                continue
            try:
                memory.seek(first)
                found += memory.read(last - first).count(key)
            except OSError:
                continue  # a device's memory
    overwrite(key)
    return found - 1  # the one that was searched for


def main() -> None:
    """Seal two segments and print the counts."""
    noting = _Noting()
    vars(segment)["os"] = noting
    first = new_sealer()
    first.seal(b"a picture")
    while_open = _copies(_derived(noting.masked))
    second = new_sealer()
    second.seal(b"a picture")
    second.seal(b"", final=True)
    print(while_open, _copies(_derived(noting.masked)))


if __name__ == "__main__":
    main()

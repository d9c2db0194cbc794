"""SHA-256 of executables, read once per file as long as it does not change. Runs in whichever thread asks."""

import hashlib
from pathlib import Path

from lockdown.plain_files import open_plain

LONGEST = 1 << 30
"""Bytes; a larger file is not read, which would take seconds."""
_CHUNK = 1 << 20


class HashCache:
    """Remembers by device, inode, size and time of the last change."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, int], str] = {}

    def sha256(self, path: Path) -> str | None:
        """Return the digest (hex) of the file, or ``None`` if it can't be read or is longer than ``LONGEST``."""
        try:
            status = path.stat()
            key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if key not in self._known:
                if status.st_size > LONGEST:
                    return None
                self._known[key] = _digest(path)
            return self._known[key]
        except OSError:
            return None


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open_plain(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

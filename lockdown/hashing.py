"""SHA-256 of executables, read once per file as long as it does not change. Runs in whichever thread asks.

A file that is held can be read after its program has ended and its name is gone or another file's.
"""

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from lockdown.plain_files import open_plain

LONGEST = 1 << 30
"""Bytes; a larger file is not read, which would take seconds."""
MOST_HELD = 64
"""Files that one cache holds open for others: a process may have some hundreds."""
_CHUNK = 1 << 20

_Key = tuple[int, int, int, int]
_Known = dict[_Key, str]


class Executable(Protocol):
    """An executable that is held open until ``close``."""

    @property
    def cost(self) -> int:
        """Return how many bytes are to be read for its hash; 0 where that is known."""
        ...

    def sha256(self, cancelled: Callable[[], bool] = ...) -> str | None:
        """Return the digest (hex), or ``None``: unreadable, too long, changed since it is held, or ``cancelled``."""
        ...

    def close(self) -> None:
        """Let go of it. Idempotent."""
        ...


class HashCache:
    """Remembers by device, inode, size and time of the last change."""

    def __init__(self) -> None:
        self._known: _Known = {}
        self._places = threading.BoundedSemaphore(MOST_HELD)

    def sha256(self, path: Path) -> str | None:
        """Return the digest (hex) of the file, or ``None`` if it can't be read or is longer than ``LONGEST``."""
        try:
            known = self._known.get(_key(path.stat()))
            if known is not None:
                return known
            file = _HeldFile(open_plain(path), self._known, lambda: None)
        except OSError:
            return None
        try:
            return file.sha256()
        finally:
            file.close()

    def hold(self, path: Path) -> Executable | None:
        """Hold the file, or return ``None`` if it can't be opened or ``MOST_HELD`` are held already."""
        if not self._places.acquire(blocking=False):
            return None
        try:
            return _HeldFile(open_plain(path), self._known, self._places.release)
        except OSError:
            self._places.release()
            return None


class _HeldFile:
    """One open file; ``on_close`` is called once. Used by one thread after the other."""

    def __init__(self, file: BinaryIO, known: _Known, on_close: Callable[[], None]) -> None:
        self._file, self._known, self._on_close = file, known, on_close
        status = os.fstat(file.fileno())
        self._key, self._size = _key(status), status.st_size

    @property
    def cost(self) -> int:
        return 0 if self._key in self._known else self._size

    def sha256(self, cancelled: Callable[[], bool] = lambda: False) -> str | None:
        if self._key not in self._known:
            try:
                digest = self._read(cancelled)
            except OSError:
                return None
            if digest is None:
                return None
            self._known[self._key] = digest
        return self._known[self._key]

    def close(self) -> None:
        if not self._file.closed:
            with contextlib.suppress(OSError):  # a file system of the candidate's own may answer anything; it is closed
                self._file.close()
            self._on_close()

    def _read(self, cancelled: Callable[[], bool]) -> str | None:
        if self._size > LONGEST:
            return None
        digest = hashlib.sha256()
        while chunk := self._file.read(_CHUNK):
            digest.update(chunk)
            if cancelled():
                return None
        return digest.hexdigest() if _key(os.fstat(self._file.fileno())) == self._key else None


def _key(status: os.stat_result) -> _Key:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

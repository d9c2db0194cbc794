"""Segments as files: ``sessions/SESSION/EPOCH-TRACK-SEQUENCE.fls``, published by fsync and rename."""

import os
import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from server.storage.base import Place, StorageFull

ABANDONED_S = 3_600
"""An unfinished upload this old belongs to nobody any more."""

_SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")


class FileStore:
    """A store in two folders of one file system: ``sessions`` and ``incoming``."""

    def __init__(self, folder: Path) -> None:
        self._sessions = folder / "sessions"
        self._incoming = folder / "incoming"
        for path in (self._sessions, self._incoming):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear(self._incoming)

    def begin(self) -> "FileUpload":
        """Start an upload; raises ``StorageFull``."""
        return FileUpload(self._incoming / uuid.uuid4().hex, self._path)

    def open(self, place: Place) -> BinaryIO:
        """Open a segment for reading; raises ``FileNotFoundError``."""
        return self._path(place).open("rb")

    def size(self, place: Place) -> int:
        """Return a segment's length in bytes; raises ``FileNotFoundError``."""
        return self._path(place).stat().st_size

    def delete(self, place: Place) -> None:
        """Delete a segment; harmless when it is not there."""
        self._path(place).unlink(missing_ok=True)

    def shred(self, place: Place, head: int) -> None:
        """Overwrite a segment's first ``head`` bytes, put that on the disk, then delete it and an empty folder."""
        path = self._path(place)
        with suppress(FileNotFoundError), path.open("r+b") as file:
            file.write(bytes(min(head, path.stat().st_size)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()

    def _path(self, place: Place) -> Path:
        # The session comes from an address: it must not name another folder.
        if not _SESSION.fullmatch(place.session):
            raise ValueError(f"{place.session!r} is not a session id")
        return self._sessions / place.session / f"{place.epoch}-{place.track}-{place.sequence}.fls"


class FileUpload:
    """One file on its way in."""

    def __init__(self, draft: Path, path_of: Callable[[Place], Path]) -> None:
        self._draft = draft
        self._path_of = path_of
        self._hash = sha256()
        self._size = 0
        try:
            self._file = draft.open("xb")
        except OSError as error:
            raise _full(error) from error

    def write(self, data: bytes) -> None:
        """Append bytes; raises ``StorageFull``."""
        try:
            self._file.write(data)
        except OSError as error:
            raise _full(error) from error
        self._hash.update(data)
        self._size += len(data)

    def finish(self) -> tuple[int, bytes]:
        """Flush to the disk; return size and SHA-256. Raises ``StorageFull``."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise _full(error) from error
        return self._size, self._hash.digest()

    def publish(self, place: Place) -> None:
        """Rename the file to its place and put the folder's new entry on the disk."""
        path = self._path_of(place)
        try:
            if not path.parent.exists():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                _sync_folder(path.parent.parent)
            self._draft.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise _full(error) from error

    def discard(self) -> None:
        """Close and remove the file; harmless after ``publish``."""
        with suppress(OSError):
            self._file.close()
        self._draft.unlink(missing_ok=True)


def _full(error: OSError) -> StorageFull:
    return StorageFull(f"the segment could not be stored: {error.strerror}", after_s=30)


def _sync_folder(path: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        # Windows has no handle for a folder to sync; NTFS journals the rename itself.
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(incoming: Path) -> None:
    for path in incoming.iterdir():
        if time.time() - path.stat().st_mtime > ABANDONED_S:
            path.unlink(missing_ok=True)

"""Bytes on their way in, as a file that is hashed while it is written. Used by whichever thread writes the upload."""

import time
import uuid
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from server.storage.base import StorageFull
from server.synced import sync_file

ABANDONED_S = 3_600
"""An unfinished upload this old belongs to nobody any more: the longest one is given ten minutes."""


class Drafts:
    """The folder of the uploads under way; what a killed process left there goes when it is opened.

    A file with a second name goes at once: it has its place in the store, and whoever gave it that, also if that is a
    server beside this one that has not come further yet, uses only the name there from then on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in folder.iterdir():
            with suppress(FileNotFoundError, PermissionError):  # a server beside this one has just stored it
                found = path.stat()
                if found.st_nlink > 1 or time.time() - found.st_mtime > ABANDONED_S:
                    path.unlink()

    def begin(self) -> "Draft":
        """Start a draft; raises ``StorageFull``."""
        return Draft(self._folder / uuid.uuid4().hex)


class Draft:
    """One file of bytes; ``size`` and ``digest`` speak of what was written so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = sha256()
        try:
            self._file = path.open("xb")
        except OSError as error:
            raise full(error) from error

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes."""
        return self._hash.digest()

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; raises ``StorageFull``."""
        try:
            self._file.write(data)
        except OSError as error:
            raise full(error) from error
        self._hash.update(data)
        self.size += len(data)

    def close(self) -> None:
        """Write out what waits in memory, though not onto the disk; raises ``StorageFull``."""
        try:
            self._file.close()
        except OSError as error:
            raise full(error) from error

    def sync(self) -> None:
        """Put the closed draft's bytes onto the disk for good; raises ``OSError``."""
        sync_file(self.path)

    def reopen(self) -> BinaryIO:
        """Open the closed draft for reading; raises ``StorageFull``."""
        try:
            return self.path.open("rb")
        except OSError as error:
            raise full(error) from error

    def discard(self) -> None:
        """Remove the file; harmless when it is gone."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


def full(error: OSError) -> StorageFull:
    """Return the system's refusal as the store's."""
    return StorageFull(f"the segment could not be stored: {error.strerror}", after_s=30)

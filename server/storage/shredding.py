"""Deletes files so that what was in them is gone before their blocks are given away. Used by ``FileStore``."""

import os
import stat
from pathlib import Path

SEGMENTS = ".fls"
BLOCK = 1024 * 1024


def shred(path: Path, head: int) -> None:
    """Delete a file, a link or an empty folder; raises ``OSError``.

    A file is overwritten before, a segment only in its first ``head`` bytes: they hold the keys to the rest. Links are
    not followed. Copies that the file system itself keeps are out of reach.
    """
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        path.rmdir()
        return
    if stat.S_ISREG(found.st_mode):
        _overwrite(path, min(head, found.st_size) if path.suffix == SEGMENTS else found.st_size)
    path.unlink()


def _overwrite(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        for start in range(0, size, BLOCK):
            file.write(bytes(min(BLOCK, size - start)))
        file.flush()
        os.fsync(file.fileno())

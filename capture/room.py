"""Whether a recording can be written: asked before the exam, where a person can still do something about it."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

from app.contract.errors import UserFacing

MARGIN_BYTES = 2 * 1024**3


def check_room(folder: Path, margin_bytes: int = MARGIN_BYTES) -> int:
    """Return the free bytes of the disk that ``folder`` is on.

    Raises ``UserFacing``: E-DISK-FULL below the margin, E-DISK-WRITE when nothing can be written there.
    """
    if not _can_write(folder):
        raise UserFacing(
            f"The disk takes no new file in {folder}.",
            advice="Delete files that you do not need (many small ones count most), or empty the bin, and check again.",
            code="E-DISK-FULL",
        )
    free = shutil.disk_usage(folder).free
    if free < margin_bytes:
        raise UserFacing(
            f"The disk is nearly full: {free // 2**20:,} MiB are free, {margin_bytes // 2**20:,} MiB are needed.",
            advice="Delete files that you do not need, or empty the bin, and check again.",
            code="E-DISK-FULL",
        )
    return free


def _can_write(folder: Path) -> bool:
    """A disk may have room and still take nothing: it is read-only, or has no names left for files."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"room?")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return False
        raise UserFacing(
            f"The recording can't be written to {folder}: {error.strerror}.",
            advice="See that this folder may be written to (is the disk read-only?), and check again.",
            code="E-DISK-WRITE",
        ) from error
    return True

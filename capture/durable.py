"""Writing so that it is still there after a crash or a power cut. Functions on descriptors and folders only."""

import contextlib
import os
from pathlib import Path

# macOS and Windows have no fdatasync; fsync is the same and a little more.
sync_data = getattr(os, "fdatasync", os.fsync)


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """Write all of ``data``; raises ``OSError`` when the disk is full, and then an unknown part was written."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make renames and removals in ``folder`` durable. Windows can't, and its NTFS journal does it by itself."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

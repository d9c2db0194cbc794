"""Puts a folder's new names onto the disk. What a rename or a new file is called is lost with the power until then."""

import os
from pathlib import Path


def sync_folder(path: Path) -> None:
    """Return when the entries of ``path`` are on the disk."""
    if not hasattr(os, "O_DIRECTORY"):
        # Windows has no handle for a folder to sync; NTFS journals the rename itself.
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Puts files and a folder's new names onto the disk: what a rename or a new file is called is lost with the power
until then. Runs in whichever thread has written.
"""

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


def sync_file(path: Path) -> None:
    """Return when the bytes of a file that is closed are on the disk."""
    descriptor = os.open(path, os.O_RDWR)  # not to read alone, which Windows would not sync
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def draft_of(path: Path) -> Path:
    """Return where ``write_whole`` writes first; the file stays there when it comes to no end."""
    return path.with_suffix(".new")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file for its owner alone to read; whenever the power goes, the old one is there, or the whole new one."""
    draft = draft_of(path)
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)

"""Which files a folder holds, and what they are called in reports. Reads names, no contents."""

import os
from pathlib import Path
from typing import NoReturn

from app.contract.errors import UserFacing
from app.contract.legible import legible


def files_below(root: Path) -> tuple[Path, ...]:
    """Return every file below ``root`` in order of its path. Raises ``UserFacing`` (E-EVALUATE).

    What begins with a dot is passed over, and folders with all that lies in them: it is a system's own, and ``._a.mp4``
    beside ``a.mp4`` is no video. Links to folders are not followed.
    """
    if not os.path.isdir(root):  # noqa: PTH112  (Path.is_dir raises for a name that is too long)
        raise UserFacing(f"{root} is not a folder.", advice="Name a folder of recordings.", code="E-EVALUATE")
    found: list[Path] = []
    for below, folders, names in os.walk(root, onerror=_closed):
        if not os.access(below, os.X_OK):
            _closed(PermissionError(0, "its files may not be opened", below))
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(below, name) for name in names if not name.startswith(".")]
    return tuple(sorted(path for path in found if os.path.isfile(path)))  # noqa: PTH113  (likewise)


def inside(root: Path, path: Path) -> str:
    """Return the name of ``path`` inside ``root``, with forward slashes; of ``root`` itself nothing."""
    name = path.relative_to(root).as_posix()
    return "" if name == "." else legible(name)


def _closed(error: OSError) -> NoReturn:
    """A folder that can't be searched is not passed over: its recordings would be missing from every count."""
    raise UserFacing(
        f"{error.filename} can't be searched: {error.strerror}.",
        advice="Get the right to read it, or take it out of the folder.",
        code="E-EVALUATE",
    ) from error

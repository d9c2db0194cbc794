"""A folder that is filled as a whole or not at all. Used by ``fairlock open ARCHIVE``, in its one thread.

What is written goes into ``UNFINISHED`` inside the folder, so that it lies on the same disk wherever the folder is, an
empty memory stick included. At the end it is moved up; what could not be finished is removed, and may be tried again.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.contract.errors import UserFacing

UNFINISHED = "unfinished"


class UnfinishedFolder:
    """Makes ``folder``, or takes an empty one; write below ``path``, then call ``finish`` or ``remove``.

    All it raises is ``UserFacing``: the folder is not empty, or can't be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.path = folder, folder / UNFINISHED
        self._moved: list[Path] = []
        with self.writing():
            self._is_new = not folder.exists()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            taken = [path.name for path in folder.iterdir()]
            if not taken:
                self.path.mkdir(mode=0o700)
        if taken:
            advice = "Name a new folder with --out."
            if taken == [UNFINISHED]:
                advice = f"An earlier opening was cut off. Delete {self.path}, or name a new folder with --out."
            raise UserFacing(f"The folder {folder} is not empty.", advice=advice, code="E-OUT-FOLDER")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Say of an ``OSError`` inside what to do about it."""
        try:
            yield
        except OSError as error:
            raise UserFacing(
                f"The folder {self._folder} can't be written to ({error.strerror}). No opened file is left in it.",
                advice="Make room on its disk, or name another folder with --out.",
                code="E-OUT-FOLDER",
            ) from error

    def finish(self) -> None:
        """Move everything to where it belongs."""
        with self.writing():
            for path in sorted(self.path.iterdir()):
                self._moved.append(path.rename(self._folder / path.name))
            self.path.rmdir()

    def remove(self) -> None:
        """Remove what was written, and the folder where it was made for this."""
        for path in (self.path, *self._moved):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                path.unlink()
        if self._is_new:
            with suppress(OSError):
                self._folder.rmdir()

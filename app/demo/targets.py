"""Where a demonstration leaves its results: asked before it runs, so that a minute's work is not lost to a wrong path.

Makes the folders that are named, and writes a file of no bytes into each to see that it can; removes it again.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.contract.errors import UserFacing

CODE = "E-DEMO-TARGET"


def check(folders: Mapping[str, Path | None], report: Path | None) -> None:
    """See that everything can be left where it was asked for: ``folders`` by option, and the file of ``--report``.

    Raises ``UserFacing`` (E-DEMO-TARGET).
    """
    keep = folders["--keep"]
    if keep is not None:
        with writing(keep, "--keep"):
            is_used = (keep / "server").exists()
        if is_used:
            raise UserFacing(f"{keep} holds an earlier demonstration.", advice="Name an empty folder.", code=CODE)
    for option, folder in folders.items():
        if folder is not None:
            _check_folder(folder, option)
    if report is not None:
        _check_file(report, "--report")


def _check_folder(folder: Path, option: str) -> None:
    with writing(folder, option):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def _check_file(file: Path, option: str) -> None:
    with writing(file, option):
        if file.exists():
            with file.open("ab"):  # says of a folder, or of a file closed to us, what it is
                return
    _check_folder(file.absolute().parent, option)


@contextmanager
def writing(target: Path, option: str) -> Iterator[None]:
    """Say of an ``OSError`` inside what to do about it."""
    try:
        yield
    except OSError as error:
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        raise UserFacing(
            f"{target} can't be written ({'a file is in the way' if in_the_way else error.strerror}).",
            advice=f"Make room or let Fairlock write there, or name another place with {option}.",
            code=CODE,
        ) from error

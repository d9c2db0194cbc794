"""Exports on disk: reads a folder or a zip archive without trusting it. Never writes one; the server does.

The one module of the contract that touches files. It extracts nothing: a segment is read by the exact name that its
record gives it, never by a name found in the archive, so no path in an export can lead anywhere. Sizes are limited
before a byte is unpacked. Raises ``UserFacing`` (codes ``E-EXPORT-…``) for what is not an export at all, and
``IntegrityError`` for what claims to be one and is not sound.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from app.contract import schema
from app.contract.errors import IntegrityError, Outcome, UserFacing
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.grants import Grants
from app.contract.sealing.segment import MAX_SEGMENT

MANIFEST_NAME = "manifest.json"
MAX_MANIFEST = 256 * 1024 * 1024
"""Room for some 200,000 records with their receipts."""
GRANTS_NAME = "grants.json"
MAX_GRANTS_FILE = 128 * 1024 * 1024
"""Room for as many grants as a session may have, each as large as it may be."""


class Export(Protocol):
    """An opened export; also a ``verify.SegmentStore``."""

    def manifest(self) -> Manifest:
        """Return the manifest; raises ``UserFacing`` (there is none) or ``IntegrityError(BAD_FORMAT)``."""
        ...

    def grants(self) -> Grants | None:
        """Return the grants, or ``None`` without any; raises ``IntegrityError(BAD_FORMAT)``."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a segment file, or ``None``; raises ``IntegrityError(BAD_FORMAT)`` when it can't be taken."""
        ...


@contextmanager
def open_export(path: Path) -> Iterator[Export]:
    """Open a folder or a zip archive; raises ``UserFacing`` when ``path`` is neither, or may not be read."""
    with _in_words(path):
        is_folder, is_there = path.is_dir(), path.exists()
    if is_folder:
        yield FolderExport(path)
        return
    if not is_there:
        raise UserFacing(f"There is no {path}.", advice="Check the name of the export.", code="E-EXPORT-MISSING")
    try:
        archive = zipfile.ZipFile(path)
    except PermissionError as error:
        raise _unreadable(path, error) from error
    except (zipfile.BadZipFile, OSError) as error:
        raise UserFacing(
            f"{path} is neither a folder nor a zip archive ({error}).",
            advice="Name an export of a session, as the console downloads it.",
            code="E-EXPORT-FORMAT",
        ) from error
    with archive:
        yield ZipExport(archive)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> UserFacing:
    """Return what to say where this computer is what keeps an export from being read, not the export."""
    return UserFacing(
        f"{path} can't be read: {error.strerror}.",
        advice="Have the whole export copied into a folder of your own, then name that one.",
        code="E-EXPORT-UNREADABLE",
    )


class FolderExport:
    """An export unpacked into a folder. Only regular files are read: no links, pipes or devices.

    What may not be read here is no fault of the evidence: ``UserFacing``, from any method.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def manifest(self) -> Manifest:
        """As in ``Export``."""
        with _in_words(self._folder / MANIFEST_NAME):
            data = self._read(MANIFEST_NAME, MAX_MANIFEST)
        return _parse(data, str(self._folder))

    def grants(self) -> Grants | None:
        """As in ``Export``."""
        with _in_words(self._folder / GRANTS_NAME):
            data = self._read(GRANTS_NAME, MAX_GRANTS_FILE)
        return _parse_grants(data)

    def read(self, name: str) -> bytes | None:
        """As in ``Export``. A disk that fails is a fault of this segment alone: the others may still be read."""
        try:
            return self._read(name, MAX_SEGMENT)
        except PermissionError as error:
            raise _unreadable(self._folder / name, error) from error
        except OSError as error:
            raise IntegrityError(Outcome.BAD_FORMAT, f"can't be read: {error.strerror}") from error

    def _read(self, name: str, limit: int) -> bytes | None:
        """Return a file, or ``None`` where there is none; raises ``IntegrityError`` and ``OSError``."""
        path = self._folder / name
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(status.st_mode) or path.parent.is_symlink():
            raise IntegrityError(Outcome.BAD_FORMAT, "is not a regular file")
        if status.st_size > limit:
            raise IntegrityError(Outcome.BAD_FORMAT, f"is larger than {limit} bytes")
        return path.read_bytes()


class ZipExport:
    """An export in a zip archive, read entry by entry."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries = {entry.filename: entry for entry in archive.infolist()}
        if len(self._entries) != len(archive.infolist()):
            raise IntegrityError(Outcome.BAD_FORMAT, "the archive holds two files of one name")

    def manifest(self) -> Manifest:
        """As in ``Export``."""
        return _parse(self._read(MANIFEST_NAME, MAX_MANIFEST), str(self._archive.filename))

    def grants(self) -> Grants | None:
        """As in ``Export``."""
        return _parse_grants(self._read(GRANTS_NAME, MAX_GRANTS_FILE))

    def read(self, name: str) -> bytes | None:
        """As in ``Export``."""
        return self._read(name, MAX_SEGMENT)

    def _read(self, name: str, limit: int) -> bytes | None:
        entry = self._entries.get(name)
        if entry is None:
            return None
        if entry.file_size > limit:
            raise IntegrityError(Outcome.BAD_FORMAT, f"is larger than {limit} bytes")
        try:
            # One byte more than declared: zipfile stops there, whatever the compressed stream would yield.
            with self._archive.open(entry) as file:
                return file.read(entry.file_size + 1)
        # What zipfile raises for a damaged, an encrypted and an oddly compressed entry.
        except (
            zipfile.BadZipFile,
            RuntimeError,
            NotImplementedError,
            EOFError,
            OSError,
            ValueError,
            zlib.error,
        ) as error:
            raise IntegrityError(Outcome.BAD_FORMAT, f"can't be unpacked: {error}") from error


def _parse(data: bytes | None, where: str) -> Manifest:
    if data is None:
        raise UserFacing(
            f"{where} holds no {MANIFEST_NAME}.", advice="Name an export of a session.", code="E-EXPORT-FORMAT"
        )
    return schema.loads(Manifest, data)


def _parse_grants(data: bytes | None) -> Grants | None:
    return None if data is None else schema.loads(Grants, data)

"""Whether a running program is a copy, under another name, of a prohibited one that is installed here.

Three ways, each asked only if the one before says nothing:

1. *Package.* Programs made with Electron share one executable; what they are is the package beside it.
2. *Loaded bytes*, looked up by the build id. Appending to a copy or stripping it does not hide it. Not for files in
   which one loader carries an appended program (AppImage, PyInstaller, Node): all of those would be the same.
3. *SHA-256* of the whole file, read only where the size is equal.

Used from the guard's watch thread; each file is read once. A reading takes milliseconds but for true copies.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lockdown.hashing import HashCache
from lockdown.linux_programs import elf
from lockdown.linux_programs.table import PROC
from lockdown.plain_files import open_plain
from lockdown.processes import Program

_PACKAGES = ("resources/app.asar", "resources/app/package.json")
_PACKAGE_HEAD = 1 << 18  # the list of an archive's files with their digests is at its beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What one executable is. ``package`` and ``build_id`` are empty where it has none, ``size`` is in bytes."""

    package: str
    build_id: str
    is_whole: bool
    size: int


class InstalledCopies:
    """``installed`` maps the executables of prohibited programs to their names; implements ``watch.Copies``."""

    def __init__(self, installed: Mapping[Path, str]) -> None:
        self._hashes = HashCache()
        self._verdicts: dict[tuple[int, int, int, int, str], str] = {}
        self._paths = {str(path) for path in installed}
        self._by_package: dict[str, tuple[Path, str]] = {}
        self._by_build_id: dict[str, list[tuple[Path, str]]] = {}
        self._by_size: dict[int, list[tuple[Path, str]]] = {}
        for path, name in installed.items():
            self._add(path, name)

    def copy_of(self, program: Program) -> str:
        """Return the name of the prohibited program of which ``program`` is a copy, or an empty text.

        The system's own programs are no copies of a user's file: who lays a copy of the desktop under a prohibited name
        into a home would have the desktop closed.
        """
        if not program.path or program.path in self._paths:
            return ""
        running = f"{PROC}/{program.pid}/exe"
        try:
            status = os.stat(running)  # noqa: PTH116  (asked of every program)
        except OSError:
            return ""
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, program.path)
        if key not in self._verdicts:
            # Seen from inside its own mounts, as the program finds its package.
            folder = Path(f"{PROC}/{program.pid}/root{program.path}").parent
            original, name = self._find(Path(running), folder)
            self._verdicts[key] = "" if original and is_roots(status) and not _is_roots_file(original) else name
        return self._verdicts[key]

    def name_of(self, path: Path, folder: Path) -> str:
        """Return the same for a file, whoever it belongs to; ``folder`` is where it lies."""
        return self._find(path, folder)[1]

    def _find(self, path: Path, folder: Path) -> tuple[Path | None, str]:
        """Return the installed program of which ``path`` is a copy, and its prohibited name."""
        nothing: tuple[Path | None, str] = (None, "")
        found = traits(path, folder)
        if found is None:
            return nothing
        if found.package in self._by_package:
            return self._by_package[found.package]
        if same := self._by_build_id.get(found.build_id):
            return next(((other, name) for other, name in same if _is_loaded_alike(path, other)), nothing)
        if same := self._by_size.get(found.size):
            digest = self._hashes.sha256(path)
            alike = (one for one in same if digest is not None and self._hashes.sha256(one[0]) == digest)
            return next(alike, nothing)
        return nothing

    def _add(self, path: Path, name: str) -> None:
        found = traits(path, path.parent)
        if found is None:
            return
        if found.package:
            self._by_package[found.package] = (path, name)
            return
        if found.build_id and found.is_whole:
            self._by_build_id.setdefault(found.build_id, []).append((path, name))
        self._by_size.setdefault(found.size, []).append((path, name))


def traits(path: Path, folder: Path) -> Traits | None:
    """Return what ``path`` is; ``folder`` is where it lies. ``None`` if it is no program the system loads itself."""
    read = elf.read(path)
    if read is None:
        return None
    return Traits(package=_package(folder), build_id=read.build_id, is_whole=read.is_whole, size=read.size)


def is_roots(status: os.stat_result) -> bool:
    """Whether only root may change the file."""
    return status.st_uid == 0 and not status.st_mode & (stat.S_IWOTH | stat.S_IWGRP)


def _is_roots_file(path: Path) -> bool:
    try:
        return is_roots(path.stat())
    except OSError:
        return False


def _package(folder: Path) -> str:
    """Return size and digest of the package that an Electron program is made of."""
    for name in _PACKAGES:
        try:
            with open_plain(folder / name) as file:
                head = file.read(_PACKAGE_HEAD)
                return f"{file.seek(0, 2)}-{hashlib.sha256(head).hexdigest()}"
        except OSError:
            continue
    return ""


def _is_loaded_alike(path: Path, other: Path) -> bool:
    """Whether both load the same bytes. Sizes first: a file full of holes could take hours to read."""
    one, two = elf.read(path), elf.read(other)
    if one is None or two is None or one.lengths != two.lengths:
        return False
    digest = elf.loaded_digest(path, one)
    return digest is not None and digest == elf.loaded_digest(other, two)

"""Finds the executables of prohibited programs that are installed here, so that copies of them can be known.

Looked for by name in the folders of the search path, where desktop files point, in ``/opt``, ``/usr/lib`` and
``/usr/share``, in snaps and in Flatpaks. Bounded in number and in time: a look at an odd machine must not hold up an
exam. Nothing is run, and no file is read here but desktop files.
"""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lockdown.linux_programs import elf
from lockdown.linux_programs.copies import InstalledCopies, is_roots
from lockdown.linux_programs.origin import APPLICATIONS, desktop_commands
from lockdown.rules import Rules, key

LONGEST_S = 1.0
BINARIES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/games")
HOMES = ("/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/share")
VENDORS = Path("/opt")
SNAPS = Path("/snap")
FLATPAKS = (Path("/var/lib/flatpak/app"), Path.home() / ".local/share/flatpak/app")


def copies(rules: Rules) -> InstalledCopies:
    """Return what knows the copies of everything prohibited that is installed here."""
    wanted = _wanted(rules)
    return InstalledCopies(find(rules, _places(wanted)) if wanted else {})


def find(rules: Rules, folders: Iterable[Path]) -> dict[Path, str]:
    """Return the real paths of prohibited executables in ``folders`` and their names; takes ``LONGEST_S`` at most.

    An executable that an innocent program shares (an interpreter, one file with many names) says nothing about what
    runs, and is left out.
    """
    wanted = _wanted(rules)
    deadline = time.monotonic() + LONGEST_S
    found: dict[Path, str] = {}
    for folder in dict.fromkeys(folders):
        if time.monotonic() > deadline:
            break
        for path in _named(folder, wanted):
            found.update(_executables(path, wanted))
    shared = _shared(found, wanted)
    return {path: name for path, name in found.items() if path not in shared}


def _places(wanted: frozenset[str]) -> Iterator[Path]:
    """Yield the folders where programs are installed, the usual ones first."""
    for name in (*os.environ.get("PATH", "").split(os.pathsep), *BINARIES, str(Path.home() / ".local/bin")):
        if name.startswith("/"):
            yield Path(name)
    for home in map(Path, HOMES):
        for folder in _folders(home):
            if key(folder.name) in wanted:
                yield from _below(folder, 1)
    for snap in _folders(SNAPS):
        inside = snap / "current"
        yield from (inside, inside / "bin", inside / "usr/bin", inside / "usr/lib" / snap.name)
    yield from _below(VENDORS, 3)
    for command in desktop_commands(APPLICATIONS).values():
        yield command.parent
    for app in (folder for flatpaks in FLATPAKS for folder in _folders(flatpaks)):
        yield from _below(app / "current/active/files", 2)


def _executables(path: Path, wanted: frozenset[str]) -> Iterator[tuple[Path, str]]:
    """Yield the program behind ``path``: itself, or those beside the script that a link leads to."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return
    for candidate in (real, *(_named(real.parent, wanted) if real.parent != path.parent else ())):
        if key(candidate.name) in wanted and elf.read(candidate) is not None:
            yield candidate, key(candidate.name)


def _shared(found: Mapping[Path, str], wanted: frozenset[str]) -> frozenset[Path]:
    """Return those that a program of the system under an innocent name is a copy of.

    Only files that root alone can change count: nobody may clear a copy by putting another one beside it.
    """
    sizes = {path: _size(path) for path in found}
    folders = dict.fromkeys(Path(folder).resolve() for folder in BINARIES) if found else ()
    innocent: dict[int, list[Path]] = {}
    for entry in (entry for folder in folders for entry in _entries(folder)):
        size = _size_if_roots(entry)
        if size in sizes.values() and key(entry.name) not in wanted:
            innocent.setdefault(size, []).append(Path(entry.path))
    return frozenset(
        path
        for path, size in sizes.items()
        for other in innocent.get(size, ())
        if InstalledCopies({path: "it"}).name_of(other, other.parent)
    )


def _wanted(rules: Rules) -> frozenset[str]:
    return frozenset(name for name in rules.prohibited_names() if not rules.is_runtime(name))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _size_if_roots(entry: "os.DirEntry[str]") -> int:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return -2
    return status.st_size if is_roots(status) and stat.S_ISREG(status.st_mode) else -2


def _named(folder: Path, wanted: frozenset[str]) -> Iterator[Path]:
    for entry in _entries(folder):
        if key(entry.name) in wanted and not entry.is_dir():
            yield Path(entry.path)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    yield folder
    if depth > 0:
        for inner in _folders(folder):
            yield from _below(inner, depth - 1)


def _folders(folder: Path) -> Iterator[Path]:
    return (Path(entry.path) for entry in _entries(folder) if entry.is_dir(follow_symlinks=False))


def _entries(folder: Path) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []

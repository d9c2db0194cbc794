"""What a program on Linux is called by whoever packaged it: Flatpak id, snap, AppImage, desktop id.

Each is taken from where the program itself can't choose it: the file that Flatpak puts into the sandbox, the place
where snaps and AppImages are mounted, and the desktop files that only root can write. The environment (``APPIMAGE``)
is private and never read; control groups are inherited by whatever a program opens, so they prove nothing.
"""

import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from lockdown.linux_programs.table import PROC
from lockdown.plain_files import open_plain
from lockdown.processes import NOTHING_KNOWN, Identity, Program
from lockdown.rules import Rules

APPLICATIONS = (
    Path("/usr/share/applications"),
    Path("/usr/local/share/applications"),
    Path("/var/lib/snapd/desktop/applications"),
)
_FLATPAK = ".flatpak-info"
_SNAP = "/snap/"
_APPIMAGE = "/tmp/.mount_"  # noqa: S108  (where AppImages mount themselves)
_LONGEST = 1 << 16


class Origins:
    """Answers for one process after another and remembers by path. ``rules`` say what an interpreter is."""

    def __init__(self, rules: Rules, applications: Iterable[Path] = APPLICATIONS) -> None:
        commands = desktop_commands(applications)
        # What starts an interpreter is not the interpreter's name.
        self._desktop_ids = {str(path): id_ for id_, path in commands.items() if not rules.is_runtime(path.name)}
        self._mounted: dict[str, str] = {}

    def __call__(self, program: Program) -> Identity:
        """Return the original name of ``program``, the most certain one first. Programs here carry no signature."""
        name = self._flatpak(program) or self._by_path(program.path)
        return Identity(original_name=name) if name else NOTHING_KNOWN

    def _by_path(self, path: str) -> str:
        if path.startswith(_SNAP):
            return path.removeprefix(_SNAP).partition("/")[0]
        if path.startswith(_APPIMAGE):
            mount = path.partition("/.mount_")[2].partition("/")[0]
            if mount not in self._mounted:
                self._mounted[mount] = _inner_desktop_id(Path(_APPIMAGE + mount))
            return self._mounted[mount]
        return self._desktop_ids.get(path, "")

    @staticmethod
    def _flatpak(program: Program) -> str:
        """Return the id that Flatpak wrote into the sandbox's own root; its programs lie in ``/app`` or ``/usr``."""
        if not program.path.startswith(("/app/", "/usr/", "/newroot/")):
            return ""
        info = f"{PROC}/{program.pid}/root/{_FLATPAK}"
        return flatpak_id(Path(info)) if os.path.exists(info) else ""  # noqa: PTH110  (asked of every program)


def flatpak_id(info: Path) -> str:
    """Return the application's id in a ``.flatpak-info`` file, or an empty text."""
    return _entry(info, "Application", "name")


def desktop_commands(folders: Iterable[Path]) -> Mapping[str, Path]:
    """Return desktop ids and the real files that they start; those that start another's program are left out."""
    found: dict[str, Path] = {}
    for folder in folders:
        for file in sorted(folder.glob("*.desktop")):
            command = _command(_entry(file, "Desktop Entry", "Exec"))
            if command is not None:
                found.setdefault(file.stem, command)
    return found


def _command(line: str) -> Path | None:
    try:
        first = next(iter(shlex.split(line)), "")
    except ValueError:
        return None
    path = shutil.which(first) if first else None
    return Path(path).resolve() if path is not None else None


def _inner_desktop_id(root: Path) -> str:
    """Return the id of the one desktop file in the root of a mounted AppImage."""
    try:
        return next((file.stem for file in sorted(root.glob("*.desktop"))), "")
    except OSError:
        return ""


def _entry(file: Path, section: str, option: str) -> str:
    """Return one entry of a file in the format of desktop files, or an empty text."""
    try:
        with open_plain(file) as opened:
            lines = opened.read(_LONGEST).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    inside = False
    for line in map(str.strip, lines):
        if line.startswith("["):
            inside = line == f"[{section}]"
        elif inside and line.partition("=")[0].rstrip() == option:
            return line.partition("=")[2].strip()
    return ""

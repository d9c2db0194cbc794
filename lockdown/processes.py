"""The table of running programs: what the rules see of each, and the signals that end one. psutil is used only here.

Arguments and environment of programs are private and never read. ``PsutilTable`` serves the systems that have no table
of their own (``lockdown.select.process_table`` chooses).
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from lockdown.hashing import Executable, HashCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A running program. ``pid`` and ``created`` (seconds since 1970) together name it; a pid alone is reused.

    ``path`` is empty where it can't be read (kernel threads, other users).
    """

    pid: int
    parent: int
    created: float
    name: str
    path: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an executable says it is, whatever its file is called; a text is empty where it says nothing.

    ``original_name`` is the original file name in the version resource (Windows), the bundle id (macOS), or the
    Flatpak, snap or desktop id (Linux). ``signer`` is the name of whoever signed it (Windows, macOS).
    """

    original_name: str = ""
    signer: str = ""


Identify = Callable[[Program], Identity]
NOTHING_KNOWN = Identity()


class ProcessTable(Protocol):
    """The running programs; ``PsutilTable`` is the real one, ``lockdown.fake.FakeTable`` is for tests."""

    def pids(self) -> frozenset[int]:
        """Return the ids of all processes."""
        ...

    def look(self, pid: int) -> Program | None:
        """Return what can be seen of ``pid``, or ``None`` if it is gone or a zombie."""
        ...

    def identity(self, program: Program) -> Identity:
        """Return what its executable says it is."""
        ...

    def sha256(self, program: Program) -> str | None:
        """Return the SHA-256 (hex) of its executable, or ``None`` if it can't be read."""
        ...

    def hold(self, program: Program) -> Executable | None:
        """Hold its executable, to be read also when it has ended; ``None`` if that can't be or it is not the same."""
        ...

    def own_user(self) -> str:
        """Return the name of the user we run as, as ``Program.user`` spells it."""
        ...

    def terminate(self, program: Program) -> None:
        """Ask the process to end (on Windows this ends it). Does nothing if ``program`` is gone."""
        ...

    def kill(self, program: Program) -> None:
        """End the process. Does nothing if ``program`` is gone."""
        ...


def is_descendant(pid: int, root: int, table: ProcessTable) -> bool:
    """Whether ``pid`` is ``root`` or was started by it, over any number of generations."""
    seen: set[int] = set()
    while pid > 0 and pid not in seen:
        if pid == root:
            return True
        seen.add(pid)
        program = table.look(pid)
        pid = program.parent if program is not None else 0
    return False


class PsutilTable:
    """The processes of this machine. ``identify`` reads what an executable says it is, where the system can."""

    def __init__(self, identify: Identify = lambda _program: NOTHING_KNOWN) -> None:
        self._identify = identify
        self._hashes = HashCache()

    def pids(self) -> frozenset[int]:
        """Return the ids of all processes."""
        return frozenset(psutil.pids())

    def look(self, pid: int) -> Program | None:
        """Return what can be seen of ``pid``, or ``None`` if it is gone or a zombie."""
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                if process.status() == psutil.STATUS_ZOMBIE:
                    return None
                return Program(
                    pid=pid,
                    parent=process.ppid(),
                    created=process.create_time(),
                    name=process.name(),
                    path=_path(process),
                    user=_user(process),
                )
        except psutil.Error:
            return None

    def identity(self, program: Program) -> Identity:
        """Return what its executable says it is."""
        return self._identify(program)

    def sha256(self, program: Program) -> str | None:
        """Return the SHA-256 (hex) of its executable, or ``None``; read once per file, size and time."""
        return self._hashes.sha256(Path(program.path)) if program.path else None

    def hold(self, program: Program) -> Executable | None:
        """Hold its executable, or return ``None``: it can't be opened, or the process is another program by now."""
        held = self._hold(program)
        if held is None:
            return None
        now = self.look(program.pid)  # afterwards: what was opened is what ``program`` was all the while
        if now is None or (now.created, now.path) != (program.created, program.path):
            held.close()
            return None
        return held

    def own_user(self) -> str:
        """Return the name of the user we run as."""
        return _user(psutil.Process())

    def terminate(self, program: Program) -> None:
        """Ask the process to end. Does nothing if ``program`` is gone."""
        with contextlib.suppress(psutil.Error):
            self._same(program).terminate()

    def kill(self, program: Program) -> None:
        """End the process. Does nothing if ``program`` is gone."""
        with contextlib.suppress(psutil.Error):
            self._same(program).kill()

    def _hold(self, program: Program) -> Executable | None:
        return self._hashes.hold(Path(program.path)) if program.path else None

    def _same(self, program: Program) -> psutil.Process:
        process = psutil.Process(program.pid)
        if process.create_time() != program.created:
            raise psutil.NoSuchProcess(program.pid)
        return process


def _path(process: psutil.Process) -> str:
    try:
        return process.exe()
    except (psutil.AccessDenied, OSError):
        return ""


def _user(process: psutil.Process) -> str:
    """The real user id where there is one: a name may be missing or shared."""
    try:
        return str(process.uids().real) if hasattr(process, "uids") else process.username()
    except psutil.AccessDenied:
        return ""

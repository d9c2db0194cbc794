"""The table of running programs: what the rules see of each, and the signals that end one. psutil is used only here."""

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A running program. ``pid`` and ``created`` (seconds since 1970) together name it; a pid alone is reused.

    ``path`` is empty where it can't be read (kernel threads, other users), ``original_name`` where the executable
    carries none (it is a Windows resource).
    """

    pid: int
    parent: int
    created: float
    name: str
    path: str
    user: str
    original_name: str = ""


class ProcessTable(Protocol):
    """The running programs; ``PsutilTable`` is the real one, ``lockdown.fake.FakeTable`` is for tests."""

    def pids(self) -> frozenset[int]:
        """Return the ids of all processes."""
        ...

    def look(self, pid: int) -> Program | None:
        """Return what can be seen of ``pid``, or ``None`` if it is gone or a zombie."""
        ...

    def sha256(self, program: Program) -> str | None:
        """Return the SHA-256 (hex) of its executable, or ``None`` if it can't be read."""
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
    """The processes of this machine."""

    def __init__(self) -> None:
        self._hashes: dict[tuple[int, int, int, int], str] = {}

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

    def sha256(self, program: Program) -> str | None:
        """Return the SHA-256 (hex) of its executable, or ``None``; read once per file, size and time."""
        # The running file itself, also when it was renamed or deleted since.
        running = Path(f"/proc/{program.pid}/exe")
        path = running if running.exists() else Path(program.path)
        try:
            status = path.stat()
            key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if key not in self._hashes:
                self._hashes[key] = _hash(path)
            return self._hashes[key]
        except OSError:
            return None

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

    @staticmethod
    def _same(program: Program) -> psutil.Process:
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


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

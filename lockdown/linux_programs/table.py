"""The running programs as ``/proc`` shows them: about five times as fast as psutil, which reads more than is needed.

Only the state, the executable and the owner of a process are read; its arguments and environment never are.
"""

import errno
import os
from pathlib import Path

import psutil

from lockdown.hashing import Executable, HashCache
from lockdown.linux_programs.mapped import path_of_running_file
from lockdown.processes import Identify, Program, PsutilTable

PROC = Path("/proc")
_TICKS_PER_S = 100.0  # USER_HZ, the same on every architecture that desktops have (proc_pid_stat(5): field 22)
_DELETED = " (deleted)"
_GONE = ("Z", "X")


class ProcfsTable(PsutilTable):
    """The processes of this machine. Used by several threads; what it remembers is only ever added to."""

    def __init__(self, identify: Identify) -> None:
        super().__init__(identify)
        self._executables = HashCache()
        self._boot = psutil.boot_time()
        self._user = super().own_user()

    def pids(self) -> frozenset[int]:
        """Return the ids of all processes."""
        return frozenset(int(name) for name in os.listdir(PROC) if name.isdecimal())  # noqa: PTH208  (twice as fast)

    def own_user(self) -> str:
        """Return the user we run as."""
        return self._user

    def look(self, pid: int) -> Program | None:
        """Return what can be seen of ``pid``, or ``None`` if it is gone or a zombie."""
        try:
            name, rest = _stat(pid)
            if rest[0] in _GONE:
                return None
            return Program(
                pid=pid,
                parent=int(rest[1]),
                created=self._boot + int(rest[19]) / _TICKS_PER_S,
                name=name,
                path=_path(pid),
                user=_owner(pid),
            )
        except OSError:
            return None

    def sha256(self, program: Program) -> str | None:
        """Return the SHA-256 (hex) of the running file itself, also when it was renamed or deleted since."""
        return self._executables.sha256(executable(program.pid)) or super().sha256(program)

    def _hold(self, program: Program) -> Executable | None:
        return self._executables.hold(executable(program.pid))

    def _same(self, program: Program) -> psutil.Process:
        now = self.look(program.pid)
        if now is None or now.created != program.created:
            raise psutil.NoSuchProcess(program.pid)
        return psutil.Process(program.pid)


def executable(pid: int) -> Path:
    """Return where the running file of ``pid`` can be opened, whatever its name is now."""
    return PROC / str(pid) / "exe"


def _owner(pid: int) -> str:
    """Return the user whose rights the process has. Unlike its files, the folder shows that for every process."""
    return str(os.stat(f"/proc/{pid}").st_uid)  # noqa: PTH116  (on the path of every look)


def _stat(pid: int) -> tuple[str, list[str]]:
    """Return the name and the fields after it. A name may hold spaces and brackets; the last bracket ends it."""
    file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    try:
        text = os.read(file, 4096).decode("utf-8", "replace")
    finally:
        os.close(file)
    head, _, rest = text.rpartition(")")
    return head.partition("(")[2], rest.split()


def _path(pid: int) -> str:
    try:
        path = os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115  (on the path of every look)
    except OSError as error:
        path = path_of_running_file(pid) if error.errno == errno.ENAMETOOLONG else ""
    return path.removesuffix(_DELETED)

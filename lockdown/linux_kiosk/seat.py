"""Whether this is a seat of a testing centre: a kiosk session of our own, on an account that is used for nothing else.

Pure reading: the table of processes, the declaration of whoever administers the machine, and who may change which
file. No variable of the environment is believed. It does not stop that administrator, who can make any machine look
like a seat: what it shows is that the candidate did not.
"""

import contextlib
import importlib
import stat
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lockdown.processes import ProcessTable, Program

DECLARATION = Path("/etc/fairlock/kiosk.toml")
COMPOSITOR = "cage"
NO_COMPOSITOR = "No kiosk compositor started this program."
OUTER_DISPLAYS = (b"DISPLAY", b"WAYLAND_DISPLAY")
# What the system itself runs for an account, beside what the session started.
ATTENDANTS = frozenset(
    {"Xwayland", "systemd", "(sd-pam)", "dbus-daemon", "dbus-broker", "dbus-broker-launch"}
    | {"pipewire", "pipewire-pulse", "wireplumber", "pulseaudio", "at-spi-bus-launcher", "at-spi2-registryd"}
)
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where to look; tests have fixture trees."""

    declaration: Path = DECLARATION
    processes: Path = Path("/proc")


def doubts(me: int, table: ProcessTable, places: Places | None = None) -> tuple[str, ...]:
    """Return why process ``me`` is not on a testing centre's seat, one sentence each; empty if it is."""
    return tuple(_doubts(me, table, places or Places()))


def _doubts(me: int, table: ProcessTable, places: Places) -> Iterator[str]:
    above = _ancestors(me, table)
    compositor = _compositor(above)
    if compositor is None:
        yield NO_COMPOSITOR
        return
    if not _is_the_systems(compositor):
        yield "The compositor's program file does not belong to the system."
    if _runs_inside_another(compositor, places.processes):
        yield "The compositor runs inside another desktop."
    account = table.own_user()
    declared = _declared_account(places.declaration)
    if declared is None:
        yield f"{places.declaration} does not declare this computer a seat, or others than root may change it."
    elif declared != account:
        yield "This is not the account that the seat was declared for."
    others = {program.name for program in strangers(me, table, table.pids())}
    if others:
        yield f"Other programs run on this account: {', '.join(sorted(others))}."


def strangers(me: int, table: ProcessTable, among: Collection[int]) -> list[Program]:
    """Return the programs ``among`` these ids that run on our account and that neither session nor system started."""
    account, above = table.own_user(), _ancestors(me, table)
    compositor = _compositor(above)
    if compositor is None:
        return []
    outer = next((program for program in above if program.pid == compositor.parent), None)
    root = outer.pid if outer is not None and outer.user == account else compositor.pid
    ours = {me, *(program.pid for program in above)}
    seen = [program for pid in among if pid not in ours and (program := table.look(pid)) is not None]
    return [program for program in seen if program.user == account and not _is_known(program, root, table)]


def _compositor(above: Sequence[Program]) -> Program | None:
    # By its file as well: a process can choose what it is called.
    return next((program for program in above if program.name == COMPOSITOR == Path(program.path).name), None)


def _ancestors(me: int, table: ProcessTable) -> list[Program]:
    """Return the processes that started ``me``, the nearest first."""
    found: list[Program] = []
    seen: set[int] = set()
    own = table.look(me)
    while own is not None and own.parent > 0 and own.parent not in seen:
        seen.add(own.parent)
        own = table.look(own.parent)
        if own is not None:
            found.append(own)
    return found


def _is_the_systems(program: Program) -> bool:
    """Whether only root may change the file that ``program`` runs."""
    try:
        status = Path(program.path).stat()
    except (OSError, ValueError):
        return False
    return bool(program.path) and status.st_uid == 0 and not status.st_mode & _OTHERS_MAY_WRITE


def _runs_inside_another(compositor: Program, processes: Path) -> bool:
    """Whether the compositor was started with a display to open a window on. Only the names are looked at."""
    try:
        variables = (processes / str(compositor.pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return True  # what can't be seen is not believed
    return any(name in OUTER_DISPLAYS and value for name, _, value in (v.partition(b"=") for v in variables))


def _declared_account(declaration: Path) -> str | None:
    """Return the user id (as ``Program.user``) that the administrator declared, or ``None``."""
    with contextlib.suppress(OSError, ValueError, KeyError, ImportError):
        pwd = importlib.import_module("pwd")
        for place in (declaration, declaration.parent):
            status = place.stat()
            if status.st_uid != 0 or status.st_mode & _OTHERS_MAY_WRITE:
                return None
        account = tomllib.loads(declaration.read_text("utf-8"))["account"]
        return str(pwd.getpwnam(account).pw_uid) if isinstance(account, str) else None
    return None


def _is_known(program: Program, root: int, table: ProcessTable) -> bool:
    """Whether the session's first process started ``program``, or the system keeps it for the account."""
    if program.pid == root or any(one.pid == root for one in _ancestors(program.pid, table)):
        return True
    return program.name in ATTENDANTS and (_is_the_systems(program) or program.name == "(sd-pam)")

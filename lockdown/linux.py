"""Lockdown on Linux: which of its sessions this is, and what that one offers. Imported on Linux only."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack

from app.contract.agreement import Allowance
from app.contract.errors import Unsupported
from app.contract.policy import Capability
from app.contract.times import Clock
from lockdown import linux_wayland
from lockdown.births import Births
from lockdown.capabilities import Part, Platform, Replay, RunExternal, Watch, unsupported
from lockdown.closing import AskWindows
from lockdown.linux_kiosk import desktop as linux_kiosk
from lockdown.linux_kiosk import seat
from lockdown.linux_programs import parts as linux_programs
from lockdown.linux_system import desktop as linux_system
from lockdown.linux_x11 import desktop as linux_x11
from lockdown.processes import ProcessTable, PsutilTable
from lockdown.rule_lists import builtin_rules
from lockdown.rules import Rules
from lockdown.unknown import WindowOwners
from lockdown.watch import Copies

NAME = "linux"
IsOwn = Callable[[int], bool]


def session_type() -> str:
    """Return "kiosk", "x11", "wayland" or "none" (no desktop)."""
    if os.environ.get("XDG_SESSION_TYPE") == "wayland" or os.environ.get("WAYLAND_DISPLAY"):
        # Whose compositor this is, the environment can't say.
        return "kiosk" if os.environ.get("DISPLAY") and not seat.doubts(os.getpid(), PsutilTable()) else "wayland"
    return "x11" if os.environ.get("DISPLAY") else "none"


def platform(
    *,
    run: RunExternal,
    table: ProcessTable,
    clock: Clock,
    processes: Watch,
    is_own: IsOwn,
    allowances: Collection[Allowance] = (),
) -> Platform:
    """Return what this desktop offers.

    ``run`` runs external programs, ``processes`` is the watch of programs with the session's rules, ``is_own`` says
    whether a process id belongs to the application. Which keys ``allowances`` leave alone, the shell's window heeds.
    """
    del allowances
    kind = session_type()
    tier, open_parts = "C", ExitStack()
    beside: Sequence[tuple[Capability, Watch | Unsupported]] = ()
    if kind in _ON_X11:
        tier, connections = _TIERS[kind], linux_x11.Connections()
        open_parts.callback(connections.close)
        parts = linux_x11.parts(connections, run, table, clock, is_own)
        beside = linux_x11.beside(connections, table, clock, is_own)
        if kind == "kiosk":
            parts = linux_kiosk.parts(parts, clock)
            beside = (*beside, *linux_kiosk.beside(table))
    else:
        parts = _LACKING[kind]()
    if kind in (*_ON_X11, "wayland"):
        keep = open_parts.callback
        parts = {**parts, **linux_system.parts(clock, is_own, keep, has_window_system=kind in _ON_X11)}
        beside = (*beside, *((Capability.SLEEP_GUARD, watch) for watch in linux_system.rest_watches(clock)))
    return Platform(
        name=f"linux-{kind}",
        tier=tier,
        parts={**parts, Capability.PROCESS_WATCH: processes},
        replayers=replayers(run),
        beside=beside,
        close=open_parts.close,
    )


def tier() -> str:
    """Return how much this desktop lets us hold (docs/lockdown.md): "A", "B" or "C"."""
    return _TIERS.get(session_type(), "C")


def doubts() -> tuple[str, ...]:
    """Return why what claims to be a kiosk session is not believed to be one; empty where nothing claims that."""
    if session_type() != "wayland":
        return ()
    found = seat.doubts(os.getpid(), PsutilTable())
    return found if seat.NO_COMPOSITOR not in found else ()


def absent() -> Mapping[Capability, Unsupported]:
    """Return what this desktop can't do for certain, before anything is tried."""
    kind = session_type()
    parts = linux_x11.absent() if kind in _ON_X11 else _LACKING[kind]()
    if kind == "wayland":
        parts = {**parts, **linux_system.lacking()}
    return {name: part for name, part in parts.items() if isinstance(part, Unsupported)}


def replayers(run: RunExternal) -> Mapping[str, Replay]:
    """Return how to replay every kind of undo of this system, also of a session of another type than now."""
    return linux_x11.replayers(run)


def process_table(run: RunExternal) -> ProcessTable:
    """Return the running programs, and what each says it is."""
    del run
    return linux_programs.table(builtin_rules(NAME))


def births() -> Births:
    """Return what tells of new programs."""
    return linux_programs.births()


def copies(rules: Rules) -> Copies:
    """Return what knows the copies of prohibited programs."""
    return linux_programs.copies(rules)


def window_owners() -> WindowOwners:
    """Return what knows which programs have a window. Raises ``Unsupported`` where no program can see that."""
    if session_type() in _ON_X11:
        return linux_x11.window_owners()
    raise unsupported("Which programs have a window can't be seen on this desktop.")


def window_closer() -> AskWindows:
    """Return how to ask a program's windows to close; where that is not possible it has none to ask."""
    return linux_x11.ask_windows if session_type() in _ON_X11 else lambda _program: False


def _no_desktop() -> Mapping[Capability, Part]:
    return {
        name: unsupported("There is no desktop session here.", "Start from a desktop session.")
        for name in Capability
        if name is not Capability.PROCESS_WATCH
    }


_ON_X11 = ("kiosk", "x11")
_TIERS = {"kiosk": "A", "x11": "B"}
_LACKING: Mapping[str, Callable[[], Mapping[Capability, Part]]] = {
    "wayland": linux_wayland.parts,
    "none": _no_desktop,
}

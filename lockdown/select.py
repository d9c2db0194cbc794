"""Chooses the backend for this system and session. The only place in lockdown that asks which system it is."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from app.contract.errors import Unsupported
from app.contract.policy import Capability
from app.contract.times import Clock
from lockdown import linux_wayland
from lockdown.capabilities import Part, Platform, Replay, RunExternal, Watch, unsupported
from lockdown.closing import AskWindows
from lockdown.linux_kiosk import desktop as linux_kiosk
from lockdown.linux_kiosk import seat
from lockdown.macos import desktop as macos
from lockdown.processes import ProcessTable, PsutilTable
from lockdown.windows import desktop as windows

if sys.platform == "linux":  # python-xlib is installed on Linux only
    from lockdown.linux_x11 import desktop as linux_x11

IsOwn = Callable[[int], bool]


def system() -> str:
    """Return "linux", "windows" or "macos", as the lists of programs name them."""
    return {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")


def session_type() -> str:
    """Return "kiosk", "x11", "wayland" or "none" (no desktop) on Linux, else the system's name."""
    if system() != "linux":
        return system()
    if os.environ.get("XDG_SESSION_TYPE") == "wayland" or os.environ.get("WAYLAND_DISPLAY"):
        # Whose compositor this is, the environment can't say.
        return "kiosk" if os.environ.get("DISPLAY") and not seat.doubts(os.getpid(), PsutilTable()) else "wayland"
    return "x11" if os.environ.get("DISPLAY") else "none"


def platform(*, run: RunExternal, table: ProcessTable, clock: Clock, processes: Watch, is_own: IsOwn) -> Platform:
    """Return what this desktop offers.

    ``run`` runs external programs, ``processes`` is the watch of programs with the session's rules, ``is_own`` says
    whether a process id belongs to the application.
    """
    kind = session_type()
    tier, close = "C", _nothing_to_close
    beside: Sequence[tuple[Capability, Watch | Unsupported]] = ()
    if kind in _ON_X11:
        tier, connections = _TIERS[kind], linux_x11.Connections()
        close = connections.close
        parts = linux_x11.parts(connections, run, table, clock, is_own)
        beside = linux_x11.beside(connections, table, clock, is_own)
        if kind == "kiosk":
            parts = linux_kiosk.parts(parts)
    else:
        parts = _LACKING[kind]()
    return Platform(
        name=f"linux-{kind}" if system() == "linux" else kind,
        tier=tier,
        parts={**parts, Capability.PROCESS_WATCH: processes},
        replayers=replayers(run),
        beside=beside,
        close=close,
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
    """Return what this desktop can't do for certain, before anything is tried; on X11 each part finds out itself."""
    kind = session_type()
    parts = {} if kind in _ON_X11 else _LACKING[kind]()
    return {name: part for name, part in parts.items() if isinstance(part, Unsupported)}


def replayers(run: RunExternal) -> Mapping[str, Replay]:
    """Return how to replay every kind of undo of this system, also of a session of another type than now."""
    if system() != "linux":
        return {}
    return linux_x11.replayers(run)


def window_closer() -> AskWindows:
    """Return how to ask a program's windows to close; where that is not possible it has none to ask."""
    return linux_x11.ask_windows if session_type() in _ON_X11 else lambda _program: False


def _no_desktop() -> Mapping[Capability, Part]:
    return {
        name: unsupported("There is no desktop session here.", "Start from a desktop session.")
        for name in Capability
        if name is not Capability.PROCESS_WATCH
    }


def _nothing_to_close() -> None:
    """Close nothing: these parts hold no connection."""


_ON_X11 = ("kiosk", "x11")
_TIERS = {"kiosk": "A", "x11": "B"}
_LACKING: Mapping[str, Callable[[], Mapping[Capability, Part]]] = {
    "wayland": linux_wayland.parts,
    "windows": windows.parts,
    "macos": macos.parts,
    "none": _no_desktop,
}

"""Puts the X11 parts together for ``lockdown.select``."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from app.contract.errors import Unsupported
from app.contract.policy import Capability
from app.contract.times import Clock
from lockdown.capabilities import HeldByShell, Part, Replay, RunExternal, Watch
from lockdown.linux_system import desktop as linux_system
from lockdown.linux_x11 import keys, restack, sleep
from lockdown.linux_x11.belonging import belongs_over_the_exam
from lockdown.linux_x11.clients import Clients
from lockdown.linux_x11.clipboard import ClosedClipboard
from lockdown.linux_x11.console import ConsoleWatch
from lockdown.linux_x11.displays import RandrDisplays
from lockdown.linux_x11.injected import InjectedInput
from lockdown.linux_x11.overlays import OverlayWatch
from lockdown.linux_x11.remote import XSession
from lockdown.linux_x11.server import XServer
from lockdown.linux_x11.windows import FocusWatch, ask_to_close
from lockdown.processes import ProcessTable, Program
from lockdown.shield import no_shield

T = TypeVar("T")


class Connections:
    """Connections to the X server, one for each part, since each part is used by a thread of its own."""

    def __init__(self) -> None:
        self._open: list[XServer] = []

    def new(self) -> XServer:
        """Open one more. Raises ``Unsupported``."""
        server = XServer()
        self._open.append(server)
        return server

    def close(self) -> None:
        """Close them all."""
        for server in self._open:
            server.close()
        self._open.clear()


def parts(
    connections: Connections, run: RunExternal, table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]
) -> Mapping[Capability, Part]:
    """Return every part but the watch of programs and those that need only the kernel (``lockdown.linux_system``)."""
    new = connections.new
    return {
        Capability.KIOSK: HeldByShell(),
        Capability.INPUT_GUARD: _console_keys(new, run),
        Capability.CLIPBOARD_GUARD: _or_reason(lambda: ClosedClipboard(new(), table, clock, is_own)),
        Capability.WINDOW_WATCH: _or_reason(lambda: FocusWatch(new(), table, clock, is_own)),
        Capability.DISPLAY_WATCH: _or_reason(lambda: RandrDisplays(new())),
        Capability.REMOTE_WATCH: _surroundings(new, table, clock, is_own),
        **absent(),
        Capability.SLEEP_GUARD: linux_system.awake(
            {"the screen saver": _or_reason(lambda: sleep.ScreenSaverOff(new()))}
        ),
    }


def absent() -> Mapping[Capability, Unsupported]:
    """Return what is not there for certain, before anything is tried."""
    return {Capability.CAPTURE_SHIELD: no_shield("X11 has no protection from recording.")}


def _surroundings(new: Callable[[], XServer], table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]) -> Part:
    session = _or_reason(lambda: XSession(new(), table, is_own))
    return linux_system.surroundings(clock, is_own, None if isinstance(session, Unsupported) else session)


def beside(
    connections: Connections, table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]
) -> Sequence[tuple[Capability, Watch | Unsupported]]:
    """Return the watches that belong to a capability beside its part, each with a connection of its own."""

    def overlays() -> Watch:
        server = connections.new()
        put_behind = partial(restack.put_behind, server)
        return OverlayWatch(server, table, clock, is_own, is_helper=belongs_over_the_exam, put_behind=put_behind)

    return (
        (Capability.WINDOW_WATCH, _or_reason(overlays)),
        (Capability.INPUT_GUARD, _or_reason(lambda: InjectedInput(connections.new(), clock))),
        (Capability.INPUT_GUARD, _or_reason(lambda: ConsoleWatch(clock))),
    )


def replayers(run: RunExternal) -> Mapping[str, Replay]:
    """Return how to replay each kind of undo."""
    return {keys.UNDO_KIND: keys.replayer(run), sleep.UNDO_KIND: sleep.replay}


def window_owners() -> Clients:
    """Return what knows which programs have a window, over a connection of its own. Raises ``Unsupported``."""
    return Clients(XServer())


def ask_windows(program: Program) -> bool:
    """Ask the windows of ``program`` to close; whether it has any."""
    try:
        server = XServer()
    except Unsupported:
        return False
    try:
        return ask_to_close(server, program)
    finally:
        server.close()


def _console_keys(new: Callable[[], XServer], run: RunExternal) -> Part:
    try:
        return keys.ConsoleKeys(new(), run)
    except Unsupported as reason:
        return HeldByShell(limit=str(reason))


def _or_reason(make: Callable[[], T]) -> T | Unsupported:
    try:
        return make()
    except Unsupported as reason:
        return reason

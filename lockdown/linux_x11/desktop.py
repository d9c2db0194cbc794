"""Puts the X11 parts together for ``lockdown.select``."""

from collections.abc import Callable, Mapping

from app.contract.errors import Unsupported
from app.contract.policy import Capability
from app.contract.times import Clock
from lockdown.capabilities import HeldByShell, Part, Replay, RunExternal, unsupported
from lockdown.linux_x11 import keys, sleep
from lockdown.linux_x11.clipboard import EmptyClipboard
from lockdown.linux_x11.displays import RandrDisplays
from lockdown.linux_x11.server import XServer
from lockdown.linux_x11.windows import FocusWatch, ask_to_close
from lockdown.processes import ProcessTable, Program


def parts(
    run: RunExternal, table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]
) -> Mapping[Capability, Part]:
    """Return every part but the watch of programs."""
    return {
        Capability.KIOSK: HeldByShell(),
        Capability.INPUT_GUARD: _console_keys(run),
        Capability.CLIPBOARD_GUARD: _or_reason(lambda: EmptyClipboard(XServer(), table, clock, is_own)),
        Capability.WINDOW_WATCH: _or_reason(lambda: FocusWatch(XServer(), table, is_own)),
        Capability.DISPLAY_WATCH: _or_reason(lambda: RandrDisplays(XServer())),
        Capability.REMOTE_WATCH: unsupported("The search for remote control is not written yet."),
        Capability.DEVICE_WATCH: unsupported("The watch of devices is not written yet."),
        Capability.CAPTURE_SHIELD: unsupported("X11 has no protection from recording."),
        Capability.SLEEP_GUARD: _or_reason(lambda: sleep.ScreenSaverOff(XServer())),
    }


def replayers(run: RunExternal) -> Mapping[str, Replay]:
    """Return how to replay each kind of undo."""
    return {keys.UNDO_KIND: keys.replayer(run), sleep.UNDO_KIND: sleep.replay}


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


def _console_keys(run: RunExternal) -> Part:
    try:
        return keys.ConsoleKeys(XServer(), run)
    except Unsupported as reason:
        return HeldByShell(limit=str(reason))


def _or_reason(make: Callable[[], Part]) -> Part:
    try:
        return make()
    except Unsupported as reason:
        return reason

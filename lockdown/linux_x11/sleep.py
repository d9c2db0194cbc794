"""Keeps the X server's screen saver and display power saving off. Does not reach a desktop's own idle timers."""

from collections.abc import Mapping, Sequence

from lockdown.capabilities import Undo
from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported, replay_on

UNDO_KIND = "x11-screen-saver"


class ScreenSaverOff:
    """Holds the screen saver's timeout at 0 and DPMS disabled; implements ``SleepGuard``."""

    def __init__(self, server: XServer) -> None:
        self._server = server

    def plan(self) -> Sequence[Undo]:
        """Return how to set the timeouts of now again."""
        return (Undo(kind=UNDO_KIND, arguments=_state(self._server), says="Screen saver works again"),)

    def engage(self) -> None:
        """Switch both off."""
        with lost_connection_is_unsupported():
            _set(self._server, {**_state(self._server), "timeout": "0", "dpms": "off"})

    def holds(self) -> bool:
        """Whether both are off now."""
        state = _state(self._server)
        return state["timeout"] == "0" and state["dpms"] != "on"

    def release(self) -> None:
        """Nothing lives in this process."""


def replay(arguments: Mapping[str, str]) -> None:
    """Set what an ``Undo`` names."""
    replay_on(arguments["display"], lambda server: _set(server, arguments))


def _state(server: XServer) -> dict[str, str]:
    with lost_connection_is_unsupported():
        saver = server.display.get_screen_saver()
        dpms = "absent"
        if server.display.has_extension("DPMS") and server.display.dpms_capable().capable:
            dpms = "on" if server.display.dpms_info().state else "off"
    return {
        "display": server.name,
        "timeout": str(saver.timeout),
        "interval": str(saver.interval),
        "prefer_blanking": str(saver.prefer_blanking),
        "allow_exposures": str(saver.allow_exposures),
        "dpms": dpms,
    }


def _set(server: XServer, state: Mapping[str, str]) -> None:
    server.display.set_screen_saver(
        int(state["timeout"]), int(state["interval"]), int(state["prefer_blanking"]), int(state["allow_exposures"])
    )
    if server.display.has_extension("DPMS"):
        if state["dpms"] == "on":
            server.display.dpms_enable()
        elif state["dpms"] == "off":
            server.display.dpms_disable()
    server.display.sync()

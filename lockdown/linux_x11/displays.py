"""Reports displays that appear, vanish or change. RandR monitors, as the X server names them."""

from collections.abc import Mapping, Sequence

from app.contract.incidents import IncidentKind
from lockdown.capabilities import Finding
from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported


class RandrDisplays:
    """Compares the monitors with those of the last call; implements ``DisplayWatch``. The first call is the start."""

    def __init__(self, server: XServer) -> None:
        self._server = server
        self._known: Mapping[str, str] | None = None

    def monitors(self) -> dict[str, str]:
        """Return each monitor's name and its place, such as "1920x1080+0+0"."""
        with lost_connection_is_unsupported():
            answer = self._server.root.xrandr_get_monitors()
            return {
                self._server.display.get_atom_name(
                    monitor.name
                ): f"{monitor.width_in_pixels}x{monitor.height_in_pixels}+{monitor.x}+{monitor.y}"
                for monitor in answer.monitors
            }

    def observe(self) -> Sequence[Finding]:
        """Return one finding for each monitor that was added, removed or changed since the last call."""
        before, now = self._known, self.monitors()
        self._known = now
        if before is None or before == now:
            return ()
        return [
            Finding(
                kind=IncidentKind.DISPLAY_CHANGED,
                facts={
                    "display": name,
                    "before": before.get(name, "absent"),
                    "after": now.get(name, "absent"),
                    "displays": str(len(now)),
                },
            )
            for name in sorted(set(before) | set(now))
            if before.get(name) != now.get(name)
        ]

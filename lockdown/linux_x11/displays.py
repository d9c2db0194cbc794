"""Says which displays there are, and reports those that appear, vanish or change. RandR, as the X server names them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from Xlib import X, error

from app.contract.incidents import IncidentKind
from app.contract.policy import Lockdown
from lockdown.capabilities import Finding
from lockdown.environment import edid
from lockdown.environment.displays import Screen, signs_of_displays
from lockdown.environment.evidence import Evidence
from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported

_EDID_WORDS = 128  # of four bytes: the base block and three extensions


class RandrDisplays:
    """Implements ``DisplayWatch``: ``survey`` what is there, and ``observe`` what changed since the last call."""

    def __init__(self, server: XServer) -> None:
        self._server = server
        self._known: Mapping[str, str] | None = None

    def monitors(self) -> dict[str, str]:
        """Return each monitor's name and its place, such as "1920x1080+0+0"."""
        with lost_connection_is_unsupported():
            return {self._name(monitor): _place(monitor) for monitor in self._monitors()}

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

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return the signs of displays that the policy may not want."""
        return signs_of_displays(self.screens(), allowed=policy.displays)

    def screens(self) -> Sequence[Screen]:
        """Return every display that shows a picture; two at one controller, or at one place, show the same."""
        with lost_connection_is_unsupported():
            return [screen for monitor in self._monitors() for screen in self._screens(monitor)]

    def _monitors(self) -> Sequence[Any]:
        answer = self._server.root.xrandr_get_monitors()
        return [monitor for monitor in answer.monitors if monitor.width_in_pixels and monitor.height_in_pixels]

    def _screens(self, monitor: Any) -> Iterator[Screen]:
        stamp = self._server.root.xrandr_get_screen_resources_current().config_timestamp
        if not monitor.crtcs:  # they are outputs, whatever python-xlib calls them
            yield Screen(connector=self._name(monitor), place=_place(monitor), is_area=True)
        for output in monitor.crtcs:
            try:
                about = self._server.display.xrandr_get_output_info(output, stamp)
                said = self._edid(output)
            except error.XError:  # unplugged at this moment
                continue
            yield Screen(
                connector=about.name,
                title=said.title if said is not None else "",
                place=_place(monitor),
                picture=self._picture(about.crtc, stamp),
            )

    def _edid(self, output: int) -> edid.Edid | None:
        atom = self._server.display.intern_atom("EDID")
        found = self._server.display.xrandr_get_output_property(output, atom, X.AnyPropertyType, 0, _EDID_WORDS)
        return edid.parse(bytes(byte & 0xFF for byte in found.value))

    def _picture(self, crtc: int, stamp: int) -> str:
        if not crtc:
            return ""
        about = self._server.display.xrandr_get_crtc_info(crtc, stamp)
        return f"{about.x},{about.y} {about.width}x{about.height}"

    def _name(self, monitor: Any) -> str:
        return str(self._server.display.get_atom_name(monitor.name))


def _place(monitor: Any) -> str:
    return f"{monitor.width_in_pixels}x{monitor.height_in_pixels}+{monitor.x}+{monitor.y}"

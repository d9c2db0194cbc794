"""How a window looks from outside: its place, its shape, and what sets it apart. Never its title or its contents.

Each function asks the X server anew and answers for a window that is gone as for one that shows nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from Xlib import X, error

from lockdown.linux_x11.server import XServer

SMALLEST = 6
"""Pixels: what is narrower or lower shows nothing that can be read."""

_BOUNDING, _INPUT = 0, 2  # kinds of shape

_WITH_ALPHA = 32  # bits per pixel of a visual with transparency
_OPAQUE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the root window, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Square pixels."""
        return self.width * self.height

    def common(self, other: "Box") -> "Box | None":
        """Return what both cover, or ``None`` if that is too small to show anything."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        width = min(self.left + self.width, other.left + other.width) - left
        height = min(self.top + self.height, other.top + other.height) - top
        return Box(left, top, width, height) if min(width, height) >= SMALLEST else None


def box_of(server: XServer, number: int) -> Box | None:
    """Return where window ``number`` is on the screen, or ``None`` if it shows nothing."""
    window = server.window(number)
    try:
        attributes = window.get_attributes()
        if attributes.map_state != X.IsViewable or attributes.win_class != X.InputOutput:
            return None
        size = window.get_geometry()
        spot = server.root.translate_coords(window, 0, 0)
    except error.XError:
        return None
    border = size.border_width
    return Box(spot.x - border, spot.y - border, size.width + 2 * border, size.height + 2 * border)


def visible_parts(server: XServer, number: int, box: Box) -> list[Box]:
    """Return the parts of ``box`` that window ``number`` shows: it may have any shape."""
    return [Box(box.left + x, box.top + y, width, height) for x, y, width, height in _shape(server, number, _BOUNDING)]


def signs_of(server: XServer, top: int, client: int) -> tuple[str, ...]:
    """Return what sets a window apart from a plain one; ``client`` is what the frame ``top`` holds, or ``top``."""
    signs: list[str] = []
    try:
        if client == top and server.window(top).get_attributes().override_redirect:
            signs.append("unmanaged")
        signs.extend(_wishes(server, client))
        taking, shown = (_area(server, client, kind) for kind in (_INPUT, _BOUNDING))
        if taking < shown:
            signs.append("partly click-through" if taking else "click-through")
        opacity = server.number(server.window(client), "_NET_WM_WINDOW_OPACITY")
        if server.window(client).get_geometry().depth == _WITH_ALPHA or opacity not in (None, _OPAQUE):
            signs.append("translucent")
    except error.XError:
        pass  # gone meanwhile; what was seen of it stands
    return tuple(signs)


def _wishes(server: XServer, client: int) -> Iterator[str]:
    states = server.numbers(server.window(client), "_NET_WM_STATE")
    for name, sign in (("_NET_WM_STATE_ABOVE", "topmost"), ("_NET_WM_STATE_SKIP_TASKBAR", "not in the taskbar")):
        if server.display.get_atom(name) in states:
            yield sign


def _area(server: XServer, number: int, kind: int) -> int:
    return sum(width * height for _, _, width, height in _shape(server, number, kind))


def _shape(server: XServer, number: int, kind: int) -> list[tuple[int, int, int, int]]:
    try:
        answer = server.window(number).shape_get_rectangles(kind)
    except error.XError:
        return []
    return [(part.x, part.y, part.width, part.height) for part in answer.rectangles]

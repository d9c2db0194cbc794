"""Another program on an X11 desktop, as a process of its own: ``python -m tests.x11_client WHAT [NUMBER]``.

Opens the window that ``WHAT`` names (or takes the keyboard), writes "ready" and stays until it is ended.
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from Xlib import X, Xatom
from Xlib.display import Display

PLACE = (100, 100, 400, 300)
INPUT, BOUNDING, SET, UNSORTED = 2, 0, 0, 0
TRUE_COLOUR = 4


def unmanaged(display: Any, parent: int = 0) -> Any:
    """A window that no window manager sees; inside window ``parent`` if that is given."""
    root = display.screen().root
    inside = display.create_resource_object("window", parent) if parent else root
    return inside.create_window(*PLACE, 0, X.CopyFromParent, override_redirect=True, background_pixel=0xCC2200)


def click_through(display: Any) -> Any:
    """One through which every click falls."""
    window = unmanaged(display)
    window.shape_rectangles(SET, INPUT, UNSORTED, 0, 0, [])
    return window


def partly_click_through(display: Any) -> Any:
    """One that takes clicks in its left half."""
    window = unmanaged(display)
    window.shape_rectangles(SET, INPUT, UNSORTED, 0, 0, [(0, 0, 200, 300)])
    return window


def shaped(display: Any) -> Any:
    """One of which only a tenth shows."""
    window = unmanaged(display)
    window.shape_rectangles(SET, BOUNDING, UNSORTED, 0, 0, [(0, 0, 400, 30)])
    return window


def translucent(display: Any) -> Any:
    """One with an alpha channel."""
    screen = display.screen()
    visual = next(
        visual.visual_id
        for depth in screen.allowed_depths
        for visual in depth.visuals
        if depth.depth == 32 and visual.visual_class == TRUE_COLOUR
    )
    colours = screen.root.create_colormap(visual, 0)
    return screen.root.create_window(
        *PLACE, 0, 32, X.InputOutput, visual, override_redirect=True, colormap=colours, border_pixel=0
    )


def undecorate(display: Any, window: Any) -> None:
    """Ask the window manager for no border and no title."""
    hints = display.get_atom("_MOTIF_WM_HINTS")
    window.change_property(hints, hints, 32, [2, 0, 0, 0, 0])


def hidden_from_taskbar(display: Any) -> Any:
    """A managed one that asks to lie above all others and to be in no list."""
    root = display.screen().root
    window = root.create_window(*PLACE, 0, X.CopyFromParent, background_pixel=0x2244CC)
    states = [display.get_atom(name) for name in ("_NET_WM_STATE_ABOVE", "_NET_WM_STATE_SKIP_TASKBAR")]
    window.change_property(display.get_atom("_NET_WM_STATE"), Xatom.ATOM, 32, states)
    undecorate(display, window)
    return window


def plain(display: Any) -> Any:
    """An ordinary window."""
    return display.screen().root.create_window(*PLACE, 0, X.CopyFromParent, background_pixel=0x2244CC)


def tiny(display: Any) -> Any:
    """Too small to show anything."""
    return display.screen().root.create_window(100, 100, 3, 3, 0, X.CopyFromParent, override_redirect=True)


def many(display: Any, count: int) -> None:
    """So many unmanaged windows, each beside the other."""
    for number in range(count):
        place = (20 * number, 10 * number, 200, 200)
        display.screen().root.create_window(*place, 0, X.CopyFromParent, override_redirect=True).map()


def canvas(display: Any) -> None:
    """The window above all others that composite managers draw on."""
    display.screen().root.composite_get_overlay_window()


def steal_keyboard(display: Any) -> None:
    """Ask for the keyboard until it is given; says "ready" twice."""
    print("ready", flush=True)
    root = display.screen().root
    while root.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime) != X.GrabSuccess:
        time.sleep(0.001)


def take_focus(display: Any) -> None:
    """Give an unmanaged window the focus, past the window manager."""
    window = unmanaged(display)
    window.map()
    display.sync()
    window.set_input_focus(X.RevertToParent, X.CurrentTime)


KINDS: Mapping[str, Callable[..., Any]] = {
    made.__name__: made
    for made in (
        unmanaged, click_through, partly_click_through, shaped, translucent, hidden_from_taskbar, plain, tiny,
        many, canvas, steal_keyboard, take_focus,
    )
}  # fmt: skip


def main() -> None:
    """Do it and stay."""
    display = Display()
    made = KINDS[sys.argv[1]](display, *map(int, sys.argv[2:]))
    if made is not None:
        made.map()
    display.sync()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

"""When a desktop has come to rest: what was asked of its window manager is done, and somebody holds the keyboard."""

from typing import Any

from tests.xserver import Desktop, wait_for


def settle(desktop: Desktop) -> None:
    """Return when the window manager has done all that it was asked before: it does one thing after the other.

    The question is ``_NET_REQUEST_FRAME_EXTENTS`` of a window that is never shown (freedesktop.org, wm-spec).
    """
    from Xlib import X, display  # noqa: PLC0415  (only where there is an X11 desktop)
    from Xlib.protocol import event  # noqa: PLC0415  (likewise)

    connection: Any = display.Display(desktop.display)
    try:
        root = connection.screen().root
        window = root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        asked, answer = (connection.get_atom(f"_NET_{name}FRAME_EXTENTS") for name in ("REQUEST_", ""))
        message = event.ClientMessage(window=window, client_type=asked, data=(32, [0] * 5))
        root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        wait_for(lambda: window.get_full_property(answer, X.AnyPropertyType), "the window manager")
    finally:
        connection.close()


def keyboard_is_held(desktop: Desktop) -> bool:
    """Whether another program is refused the keyboard; where not, it had it for a moment."""
    from Xlib import X, display  # noqa: PLC0415  (only where there is an X11 desktop)

    connection: Any = display.Display(desktop.display)
    try:
        answer: int = connection.screen().root.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
    finally:
        connection.close()
    return answer != X.GrabSuccess

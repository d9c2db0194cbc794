"""Puts windows of other programs behind the exam. It moves nothing else, closes nothing, and leaves the window shown.

A window that asked to lie above all others no longer does. Where it was in the stack before is not kept: it comes up
again when it is clicked after the exam.
"""

from Xlib import X, error
from Xlib.protocol.event import ClientMessage

from lockdown.linux_x11.server import XServer
from lockdown.linux_x11.stacking import CANVAS, INSIDE, Over
from lockdown.processes import Program
from lockdown.rules import key

LOCKERS = frozenset(
    {
        "cinnamon-screensaver", "gnome-screensaver", "i3lock", "kscreenlocker_greet", "mate-screensaver", "slock",
        "xfce4-screensaver", "xlock", "xscreensaver", "xscreensaver-gfx", "xsecurelock", "xtrlock",
    }
)  # fmt: skip
"""Never put behind: somebody locked the screen, and it must stay locked."""

_REMOVE = 0  # action of _NET_WM_STATE
_FROM_A_PAGER = 2  # source indication: on behalf of the user


def put_behind(server: XServer, over: Over, program: Program | None) -> None:
    """Put the window ``over`` behind all others; one inside the exam's own window is hidden instead.

    Does nothing to what can't be moved (the compositor's canvas) or must not be (a locked screen).
    """
    if CANVAS in over.signs or (program is not None and key(program.name) in LOCKERS):
        return
    caught = error.CatchError(error.XError)  # gone meanwhile
    window = server.window(over.window)
    if INSIDE in over.signs:
        window.unmap(onerror=caught)
    elif over.client in server.numbers(server.root, "_NET_CLIENT_LIST"):
        above = server.display.get_atom("_NET_WM_STATE_ABOVE")
        _ask(server, over.client, "_NET_WM_STATE", [_REMOVE, above, 0, _FROM_A_PAGER, 0])
        _ask(server, over.client, "_NET_RESTACK_WINDOW", [_FROM_A_PAGER, X.NONE, X.Below, 0, 0])
    else:
        window.configure(stack_mode=X.Below, onerror=caught)
    server.display.sync()


def _ask(server: XServer, client: int, what: str, data: list[int]) -> None:
    """Send the window manager a request about ``client`` (EWMH)."""
    message = ClientMessage(window=server.window(client), client_type=server.display.get_atom(what), data=(32, data))
    server.root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)

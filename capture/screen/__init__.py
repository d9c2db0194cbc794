"""The screen as a source: picks the way that fits this system, or says why there is none."""

import os
import sys
from collections.abc import Mapping

from app.contract.times import Clock
from capture import refusals
from capture.screen.grab import GrabbedScreen
from capture.screen.screencopy import CopiedScreen
from capture.screen.wayland import socket_path
from capture.sources import VideoSource


def open_screen(fps: int, clock: Clock, environment: Mapping[str, str] = os.environ) -> VideoSource:
    """Return this system's screen, all displays as one picture, not yet opened.

    Raises ``Unsupported`` (E-SCREEN-UNSUPPORTED), maybe only when opened, where a program may not see the screen. Under
    a compositor only what it copies itself is the screen: an X server that runs below it sees its own windows at most.
    X11 and wlroots compositors are tested; Windows and macOS go the way of X11 and are not tested yet.
    """
    if sys.platform == "win32" or sys.platform == "darwin":  # mypy reads only this form
        return GrabbedScreen(fps, clock)
    else:  # noqa: RET505  (without it, the rest is dead code to mypy on those systems)
        return _linux_screen(fps, clock, environment)


def _linux_screen(fps: int, clock: Clock, environment: Mapping[str, str]) -> VideoSource:
    compositor = socket_path(environment)
    if compositor is not None:
        return CopiedScreen(fps, clock, path=compositor)
    if environment.get("XDG_SESSION_TYPE") == "wayland" or environment.get("WAYLAND_DISPLAY"):
        raise refusals.no_screen(
            "this is a Wayland desktop, which lets no program see other windows",
            "Sign out, choose an X11 (Xorg) session on the sign-in screen, and start again.",
        )
    display = environment.get("DISPLAY")
    if not display:
        raise refusals.no_screen("there is no display", "Start Fairlock from a graphical desktop.")
    return GrabbedScreen(fps, clock, display=display)

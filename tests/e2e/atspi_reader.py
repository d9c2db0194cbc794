"""What a screen reader does: walks the tree over AT-SPI, hears announcements, presses buttons. For the system's Python.

Runs inside a D-Bus session of its own, where it says first that a screen reader is there, and then writes the session's
address. After that it reads commands from stdin, a line each, and answers each with a line of JSON: ``tree``,
``heard``, ``press NAME``, ``focus NAME``. It writes to the file descriptor that is its argument: the daemons of the
session write to stdout too.
"""

import json
import os
import subprocess
import sys
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # type: ignore[import-not-found]  # noqa: E402

LAUNCHER = "/usr/libexec/at-spi-bus-launcher"
APPLICATION = "Fairlock"
PATIENCE_MS = 60_000
"""For each answer of the application: what it does late it would do twice, were it asked again."""
BUS = ("org.a11y.Bus", "/org/a11y/bus", "org.freedesktop.DBus.Properties", "Set")


def switch_on() -> "subprocess.Popen[bytes]":
    """Start the accessibility bus and say that a screen reader runs, before anybody asks for it."""
    launcher = subprocess.Popen([LAUNCHER, "--launch-immediately"])
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    for name in ("IsEnabled", "ScreenReaderEnabled"):
        arguments = GLib.Variant("(ssv)", ("org.a11y.Status", name, GLib.Variant("b", True)))
        for _ in range(200):
            try:
                bus.call_sync(*BUS, arguments, None, 0, 500, None)
                break
            except GLib.Error:
                GLib.usleep(100_000)
    return launcher


def everything(root: Any, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all accessible objects below ``root``; what vanishes meanwhile is left out."""
    for index in range(root.childCount):
        try:
            child = root.getChildAtIndex(index)
            if child is None:
                continue
            states = child.getState()
            found.append(
                {
                    "role": child.getRoleName(),
                    "name": child.name or "",
                    "description": child.description or "",
                    "showing": states.contains(pyatspi.STATE_SHOWING),
                    "focusable": states.contains(pyatspi.STATE_FOCUSABLE),
                    "focused": states.contains(pyatspi.STATE_FOCUSED),
                    "object": child,
                }
            )
            everything(child, found)
        except (GLib.Error, LookupError):
            continue
    return found


def application() -> Any:
    """Return the application's root, or ``None`` while it is not there."""
    desktop = pyatspi.Registry.getDesktop(0)
    for index in range(desktop.childCount):
        child = desktop.getChildAtIndex(index)
        if child is not None and child.name == APPLICATION:
            child.set_cache_mask(Atspi.Cache.NONE)  # ask anew each time: not every change is told
            return child
    return None


def answer(line: str) -> Any:
    """Carry out one command."""
    command, _, name = line.strip().partition(" ")
    if command == "heard":
        return heard
    try:
        root = application()
        found = everything(root, []) if root is not None else []
    except (GLib.Error, LookupError):  # it is not there yet, or not any more
        found = []
    if command == "tree":
        return [{key: value for key, value in one.items() if key != "object"} for one in found]
    for one in found:
        if one["name"] == name and one["showing"] and one["focusable"]:
            if command == "press":
                return one["object"].queryAction().doAction(0)
            return one["object"].queryComponent().grabFocus()
    return False


def on_line(source: Any, _condition: Any) -> bool:
    """Answer a line, or end with the input."""
    line = source.readline()
    if not line:
        pyatspi.Registry.stop()
        return False
    try:
        said = answer(line)
    except (GLib.Error, NotImplementedError, RuntimeError) as error:
        said = {"error": str(error)}
    write(said)
    return True


def write(said: Any) -> None:
    """Answer the test."""
    answers.write(json.dumps(said) + "\n")
    answers.flush()


if __name__ == "__main__":
    answers = os.fdopen(int(sys.argv[1]), "w")
    launcher = switch_on()
    import pyatspi  # type: ignore[import-not-found]

    Atspi.set_timeout(PATIENCE_MS, PATIENCE_MS)

    heard: list[str] = []
    pyatspi.Registry.registerEventListener(lambda event: heard.append(str(event.any_data)), "object:announcement")
    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, on_line)
    write(os.environ["DBUS_SESSION_BUS_ADDRESS"])
    try:
        pyatspi.Registry.start()
    finally:
        launcher.terminate()

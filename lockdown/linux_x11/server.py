"""A connection to the X server, and the few questions that several parts ask it."""

import contextlib
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from Xlib import X, error
from Xlib.display import Display
from Xlib.ext import randr

from lockdown.capabilities import unsupported

T = TypeVar("T")
_LOCAL_CLIENT_PID = 2  # XRES: the process id as the server knows it, which a client can't choose
_SOCKETS = Path("/tmp/.X11-unix")  # noqa: S108  (where X servers listen, by convention of all of them)

# WORKAROUND https://github.com/python-xlib/python-xlib/issues/259: RandR's errors are registered under the codes 0 to
# 2, which are the core's, and as classes that can't be read. After such an error the connection hangs at full CPU.
randr.BadRROutputError = error.XError
randr.BadRRCrtcError = error.BadRequest
randr.BadRRModeError = error.BadValue


class XServer:
    """A connection to ``name`` or to ``$DISPLAY``. Raises ``Unsupported`` when there is none."""

    def __init__(self, name: str | None = None) -> None:
        # Asked first, because python-xlib goes on to try TCP when nobody listens on the socket.
        if _is_gone(name or os.environ.get("DISPLAY", "")):
            raise unsupported("The X server can't be reached (it is gone).", "Start from a desktop session.")
        try:
            self.display = Display(name)
        except (error.DisplayError, error.ConnectionClosedError, OSError, ValueError) as problem:
            raise unsupported(
                f"The X server can't be reached ({problem}).", "Start from a desktop session."
            ) from problem
        self.root: Any = self.display.screen().root
        self.name = self.display.get_display_name()

    def close(self) -> None:
        """Close the connection; what it owned ends with it. Idempotent."""
        with contextlib.suppress(error.ConnectionClosedError, OSError):
            self.display.close()

    def number(self, window: Any, name: str) -> int | None:
        """Return the first number in property ``name`` of ``window``."""
        values = self.numbers(window, name)
        return values[0] if values else None

    def numbers(self, window: Any, name: str) -> list[int]:
        """Return all numbers in property ``name`` of ``window``; empty if the window or the property is gone."""
        try:
            found = window.get_full_property(self.display.get_atom(name), X.AnyPropertyType)
        except error.XError:
            return []
        return [int(value) for value in found.value] if found is not None and found.format == 32 else []

    def window(self, number: int) -> Any:
        """Return the window object of an id."""
        return self.display.create_resource_object("window", number)

    def pid_of(self, window: int) -> int | None:
        """Return the process that made ``window``: from the server if it says so, else as the window claims."""
        if self.display.has_extension("X-Resource"):
            try:
                answer = self.display.res_query_client_ids([{"client": window, "mask": _LOCAL_CLIENT_PID}])
            except error.XError:
                return None
            for entry in answer.ids:
                if entry.spec.mask == _LOCAL_CLIENT_PID and entry.value:
                    return int(entry.value[0])
        return self.number(self.window(window), "_NET_WM_PID")


def desktop_programs(server: XServer) -> frozenset[int]:
    """Return the process ids of window manager and compositor: whoever owns their selections (ICCCM 4.3, EWMH).

    A window manager too old for that is believed by its property, which any program could have set before it.
    """
    screen = server.display.get_default_screen()
    owners = [
        getattr(server.display.get_selection_owner(server.display.get_atom(f"{name}{screen}")), "id", X.NONE)
        for name in ("WM_S", "_NET_WM_CM_S")
    ]
    if owners[0] == X.NONE:
        owners[0] = server.number(server.root, "_NET_SUPPORTING_WM_CHECK") or X.NONE
    pids = [server.pid_of(owner) for owner in owners if owner != X.NONE]
    return frozenset(pid for pid in pids if pid is not None)


@contextmanager
def lost_connection_is_unsupported() -> Iterator[None]:
    """Turn the end of the connection into ``Unsupported``."""
    try:
        yield
    except (error.ConnectionClosedError, OSError) as problem:
        raise unsupported("The X server closed the connection.", "Log in again.") from problem


def replay_on(name: str, put_back: Callable[[XServer], object]) -> None:
    """Call ``put_back`` with a connection to display ``name``.

    Settings of an X server end with it: if nobody listens there, there is nothing left to put back.
    """
    if _is_gone(name):
        return
    server = XServer(name)
    try:
        put_back(server)
    finally:
        server.close()


def _is_gone(name: str) -> bool:
    """Whether ``name`` is a display of this machine at whose socket nobody listens (a crash leaves the file)."""
    local = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", name)
    if local is None:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(_SOCKETS / f"X{local[1]}"))
        except (FileNotFoundError, ConnectionRefusedError):
            return True
        except OSError:
            return False
    return False

"""Which program has the focus, and asking a program's windows to close. Titles and contents are never read."""

from collections.abc import Callable, Sequence

from Xlib import X
from Xlib.protocol.event import ClientMessage

from app.contract.incidents import IncidentKind
from lockdown.capabilities import Finding
from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported
from lockdown.processes import ProcessTable, Program

_FROM_A_PAGER = 2  # source indication of _NET_CLOSE_WINDOW: on behalf of the user


class FocusWatch:
    """Reports each program that takes the focus from ours; implements ``WindowWatch``.

    ``is_own`` says whether a process id belongs to the application.
    """

    def __init__(self, server: XServer, table: ProcessTable, is_own: Callable[[int], bool]) -> None:
        self._server = server
        self._table = table
        self._is_own = is_own
        self._reported: int | None = None

    def observe(self) -> Sequence[Finding]:
        """Return a finding if another program's window is active and was not yet reported since ours last was."""
        with lost_connection_is_unsupported():
            window = self._server.number(self._server.root, "_NET_ACTIVE_WINDOW")
            pid = self._server.pid_of(window) if window else None
        if not window or (pid is not None and self._is_own(pid)):
            self._reported = None
            return ()
        if window == self._reported:
            return ()
        self._reported = window
        return (Finding(kind=IncidentKind.FOCUS_LOST, facts=self._facts(pid)),)

    def _facts(self, pid: int | None) -> dict[str, str]:
        program = self._table.look(pid) if pid is not None else None
        if program is None:
            return {"name": "unknown"}
        return {"name": program.name, "path": program.path, "pid": str(program.pid)}


def ask_to_close(server: XServer, program: Program) -> bool:
    """Ask the window manager to close all windows of ``program``; whether it has any."""
    with lost_connection_is_unsupported():
        windows = [
            number for number in server.numbers(server.root, "_NET_CLIENT_LIST") if server.pid_of(number) == program.pid
        ]
        for number in windows:
            message = ClientMessage(
                window=server.window(number),
                client_type=server.display.intern_atom("_NET_CLOSE_WINDOW"),
                data=(32, [X.CurrentTime, _FROM_A_PAGER, 0, 0, 0]),
            )
            server.root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        server.display.flush()
    return bool(windows)

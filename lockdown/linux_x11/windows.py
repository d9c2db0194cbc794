"""Which program has the focus, and asking a program's windows to close. Titles and contents are never read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from Xlib import X
from Xlib.protocol.event import ClientMessage

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding
from lockdown.linux_x11.server import XServer, desktop_programs, lost_connection_is_unsupported
from lockdown.processes import ProcessTable, Program

WAIT_S = 1.0
_FROM_A_PAGER = 2  # source indication of _NET_CLOSE_WINDOW: on behalf of the user


class FocusWatch:
    """Reports each program that takes the focus from ours, and for how long; implements ``WindowWatch``.

    One finding when ours has it back. If that takes longer than ``WAIT_S``, one goes ahead, without the duration.
    ``is_own`` says whether a process id belongs to the application.
    """

    def __init__(self, server: XServer, table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]) -> None:
        self._server = server
        self._table = table
        self._clock = clock
        self._is_own = is_own
        self._desktop = desktop_programs(server)
        self._loss: _Loss | None = None

    def observe(self) -> Sequence[Finding]:
        """Return what is new about the window that is active now."""
        with lost_connection_is_unsupported():
            window, pid = self._holder()
        now = self._clock.now()
        is_ours = window is None or (pid is not None and self._is_own(pid))
        before = self._loss
        if before is not None and (is_ours or window != before.window):
            self._loss = None if is_ours else _Loss(window=window, since=now, facts=self._facts(pid))
            return (before.finding(until=now),)
        if before is None and not is_ours:
            self._loss = _Loss(window=window, since=now, facts=self._facts(pid))
        elif before is not None and not before.is_said and now.seconds_since(before.since) >= WAIT_S:
            before.is_said = True
            return (before.finding(),)
        return ()

    def _holder(self) -> tuple[int | None, int | None]:
        """Return the window that gets the keys and its process; ``None`` for no window.

        The server knows best: a window that no window manager knows can hold the focus too. If the window manager
        holds it in its own hands, or nobody does, what counts is which window it calls active.
        """
        focus = getattr(self._server.display.get_input_focus().focus, "id", X.NONE)
        pid = self._server.pid_of(focus) if focus > X.PointerRoot else None
        if pid is not None and pid not in self._desktop:
            return focus, pid
        active = self._server.number(self._server.root, "_NET_ACTIVE_WINDOW")
        return (active, self._server.pid_of(active)) if active else (None, None)

    def _facts(self, pid: int | None) -> dict[str, str]:
        program = self._table.look(pid) if pid is not None else None
        if program is None:
            return {"name": "unknown"}
        return {"name": program.name, "path": program.path, "pid": str(program.pid)}


@dataclass(slots=True, kw_only=True)
class _Loss:
    """Another program's window has the focus."""

    window: int | None
    since: Instant
    facts: dict[str, str]
    is_said: bool = False

    def finding(self, until: Instant | None = None) -> Finding:
        facts = self.facts
        if until is not None:
            facts = {**facts, "duration_ms": str(round(until.seconds_since(self.since) * 1000))}
        return Finding(kind=IncidentKind.FOCUS_LOST, facts=facts, since=self.since)


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

"""Owns CLIPBOARD and PRIMARY with an empty text, and takes them back when another program puts something there.

Whatever is in a selection is never asked for, neither before nor during the exam; so it can't be given back either.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from Xlib import X, Xatom, error
from Xlib.protocol.event import SelectionNotify

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding, Undo
from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported
from lockdown.processes import ProcessTable

REPORT_EVERY_S = 5.0


class EmptyClipboard:
    """Keeps both selections empty; implements ``ClipboardGuard``.

    Each change by another program is counted and reported, at most every ``REPORT_EVERY_S`` seconds (a clipboard
    manager answers every retake with a change). Text selected in our own windows is taken away without a report.
    """

    def __init__(self, server: XServer, table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]) -> None:
        self._server = server
        self._table = table
        self._clock = clock
        self._is_own = is_own
        self._window: Any = None
        self._selections = {
            "clipboard": server.display.intern_atom("CLIPBOARD"),
            "primary": Xatom.PRIMARY,
        }
        self._targets = server.display.intern_atom("TARGETS")
        self._texts = (server.display.intern_atom("UTF8_STRING"), Xatom.STRING)
        self._changes = 0
        self._last_report: Instant | None = None
        self._facts: dict[str, str] = {}

    def plan(self) -> Sequence[Undo]:
        """Return nothing: a selection ends with the connection of its owner."""
        return ()

    def engage(self) -> None:
        """Take both selections."""
        with lost_connection_is_unsupported():
            if self._window is None:
                self._window = self._server.root.create_window(
                    -1, -1, 1, 1, 0, X.CopyFromParent, window_class=X.InputOnly
                )
            for selection in self._selections.values():
                self._take(selection)

    def holds(self) -> bool:
        """Whether both selections are ours."""
        with lost_connection_is_unsupported():
            return self._window is not None and all(map(self._is_ours, self._selections.values()))

    def release(self) -> None:
        """Let go of both; they are empty then."""
        window, self._window = self._window, None
        if window is not None:
            with contextlib.suppress(error.ConnectionClosedError, OSError):
                window.destroy()
                self._server.display.sync()

    def observe(self) -> Sequence[Finding]:
        """Answer requests with an empty text, take back what was taken, and report changes now and then."""
        if self._window is None:
            return ()
        with lost_connection_is_unsupported():
            self._answer_requests()
            for name, selection in self._selections.items():
                if not self._is_ours(selection):
                    self._note_change(name, selection)
                    self._take(selection)
        return self._report()

    def _take(self, selection: int) -> None:
        self._window.set_selection_owner(selection, X.CurrentTime)
        self._server.display.sync()

    def _is_ours(self, selection: int) -> bool:
        owner = self._server.display.get_selection_owner(selection)
        return bool(owner != X.NONE and owner.id == self._window.id)

    def _note_change(self, name: str, selection: int) -> None:
        owner = self._server.display.get_selection_owner(selection)
        if owner == X.NONE:
            return  # somebody emptied it; there is nothing to paste
        pid = self._server.pid_of(owner.id)
        if pid is not None and self._is_own(pid):
            return
        program = self._table.look(pid) if pid is not None else None
        self._changes += 1
        self._facts = {"selection": name, "name": program.name if program else "unknown"}
        if program is not None:
            self._facts["path"] = program.path

    def _report(self) -> Sequence[Finding]:
        now = self._clock.now()
        waiting = self._last_report is not None and now.seconds_since(self._last_report) < REPORT_EVERY_S
        if not self._changes or waiting:
            return ()
        facts = {**self._facts, "changes": str(self._changes)}
        self._changes, self._last_report = 0, now
        return (Finding(kind=IncidentKind.CLIPBOARD, facts=facts),)

    def _answer_requests(self) -> None:
        while self._server.display.pending_events():
            event = self._server.display.next_event()
            if event.type == X.SelectionRequest:
                self._answer(event)
        self._server.display.flush()

    def _answer(self, request: Any) -> None:
        place = request.property if request.property != X.NONE else request.target
        caught = error.CatchError(error.XError)
        if request.target == self._targets:
            atoms = [self._targets, *self._texts]
            request.requestor.change_property(place, Xatom.ATOM, 32, atoms, onerror=caught)
        elif request.target in self._texts:
            request.requestor.change_property(place, request.target, 8, b"", onerror=caught)
        else:
            place = X.NONE
        answer = SelectionNotify(
            time=request.time,
            requestor=request.requestor,
            selection=request.selection,
            target=request.target,
            property=place,
        )
        request.requestor.send_event(answer, onerror=caught)

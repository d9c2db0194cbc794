"""Owns the clipboards with a sentence of ours, and takes them back when another program puts something there.

X11 has three: CLIPBOARD (copy and paste), PRIMARY (what is selected, pasted by the middle button) and SECONDARY. What
is in them is never asked for, neither before nor during the exam. A fourth selection stands for what is being dragged;
it is taken only from others, since dragging within the exam page may be a question's answer.

Taking a clipboard makes its owner forget what it offered, and X11 has no way to hand it back without reading it. So
after the exam the clipboards are empty; the text itself stays where it was copied from.
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

OWN_TEXT = "The clipboard is off during the exam."
"""What other programs get to paste. The exam page never gets it: there, pasting inserts what was copied in the page
(``app.shell.clipboard``), so that nobody finds this sentence in an answer."""
_TEXT = OWN_TEXT.encode("ascii")
_NEW_OWNER = 1  # XFixesSetSelectionOwnerNotifyMask
REPORT_EVERY_S = 5.0
LOOK_AGAIN_S = 1.0
"""The X server tells of changes; without news the owners are still asked for this often."""


class ClosedClipboard:
    """Keeps our own text in all clipboards; implements ``ClipboardGuard``.

    Each change by another program is counted and reported, at most every ``REPORT_EVERY_S`` seconds (a clipboard
    manager answers every retake with a change). Text selected in our own windows is taken away without a report.
    """

    def __init__(self, server: XServer, table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]) -> None:
        self._server = server
        self._table = table
        self._clock = clock
        self._is_own = is_own
        self._window: Any = None
        atom = server.display.get_atom
        self._selections = {"clipboard": atom("CLIPBOARD"), "primary": Xatom.PRIMARY, "secondary": atom("SECONDARY")}
        self._dragged = atom("XdndSelection")
        self._targets = atom("TARGETS")
        self._texts = (atom("UTF8_STRING"), Xatom.STRING, atom("text/plain;charset=utf-8"), atom("text/plain"))
        self._looked: Instant | None = None
        self._changes = 0
        self._last_report: Instant | None = None
        self._facts: dict[str, str] = {}

    def plan(self) -> Sequence[Undo]:
        """Return nothing: a selection ends with the connection of its owner."""
        return ()

    def engage(self) -> None:
        """Take the clipboards."""
        with lost_connection_is_unsupported():
            if self._window is None:
                self._window = self._server.root.create_window(
                    -1, -1, 1, 1, 0, X.CopyFromParent, window_class=X.InputOnly
                )
                self._hear_of_changes()
            for selection in self._selections.values():
                self._take(selection)

    def holds(self) -> bool:
        """Whether all clipboards are ours."""
        with lost_connection_is_unsupported():
            return self._window is not None and all(map(self._is_ours, self._selections.values()))

    def release(self) -> None:
        """Let go of them; they are empty then."""
        window, self._window = self._window, None
        if window is not None:
            with contextlib.suppress(error.ConnectionClosedError, OSError):
                window.destroy()
                self._server.display.sync()

    def observe(self) -> Sequence[Finding]:
        """Answer requests with our text, take back what was taken, and report changes now and then."""
        if self._window is None:
            return ()
        now = self._clock.now()
        with lost_connection_is_unsupported():
            is_news = self._hear()
            if is_news or self._looked is None or now.seconds_since(self._looked) >= LOOK_AGAIN_S:
                self._looked = now
                self._take_back()
        return self._report(now)

    def _take_back(self) -> None:
        for name, selection in self._selections.items():
            if not self._is_ours(selection):
                self._note_change(name, selection)
                self._take(selection)
        owner = self._server.display.get_selection_owner(self._dragged)
        if owner not in (X.NONE, self._window) and self._note_change("drag", self._dragged):
            self._take(self._dragged)

    def _take(self, selection: int) -> None:
        self._window.set_selection_owner(selection, X.CurrentTime)
        self._server.display.sync()

    def _is_ours(self, selection: int) -> bool:
        owner = self._server.display.get_selection_owner(selection)
        return bool(owner != X.NONE and owner.id == self._window.id)

    def _note_change(self, name: str, selection: int) -> bool:
        """Count a change if another program made it; whether it did."""
        owner = self._server.display.get_selection_owner(selection)
        if owner == X.NONE:
            return False  # somebody emptied it; there is nothing to paste
        pid = self._server.pid_of(owner.id)
        if pid is not None and self._is_own(pid):
            return False
        program = self._table.look(pid) if pid is not None else None
        self._changes += 1
        self._facts = {"selection": name, "name": program.name if program else "unknown"}
        if program is not None:
            self._facts["path"] = program.path
        return True

    def _report(self, now: Instant) -> Sequence[Finding]:
        waiting = self._last_report is not None and now.seconds_since(self._last_report) < REPORT_EVERY_S
        if not self._changes or waiting:
            return ()
        facts = {**self._facts, "changes": str(self._changes)}
        self._changes, self._last_report = 0, now
        return (Finding(kind=IncidentKind.CLIPBOARD, facts=facts),)

    def _hear_of_changes(self) -> None:
        """Ask the server to tell when a selection has another owner; without XFixes the owners are asked for."""
        if not self._server.display.has_extension("XFIXES"):
            return
        self._server.display.xfixes_query_version()
        for selection in (*self._selections.values(), self._dragged):
            self._server.display.xfixes_select_selection_input(self._window, selection, _NEW_OWNER)

    def _hear(self) -> bool:
        """Answer who asks for our text; whether there was other news."""
        is_news = False
        while self._server.display.pending_events():
            event = self._server.display.next_event()
            if event.type == X.SelectionRequest:
                self._answer(event)
            else:
                is_news = True
        self._server.display.flush()
        return is_news

    def _answer(self, request: Any) -> None:
        place = request.property if request.property != X.NONE else request.target
        caught = error.CatchError(error.XError)
        if request.target == self._targets:
            atoms = [self._targets, *self._texts]
            request.requestor.change_property(place, Xatom.ATOM, 32, atoms, onerror=caught)
        elif request.target in self._texts:
            request.requestor.change_property(place, request.target, 8, _TEXT, onerror=caught)
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

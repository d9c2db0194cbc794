"""Keeps the clipboard empty. Whatever is in it is never asked for; so it can't be given back either."""

from collections.abc import Callable, Sequence

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding, Undo, unsupported
from lockdown.foreign_windows import facts_of
from lockdown.processes import ProcessTable
from lockdown.windows.functions import Api
from lockdown.windows.overlays import pid_of

REPORT_EVERY_S = 5.0
TRIES = 10
BETWEEN_TRIES_S = 0.02
"""Only one program at a time can have the clipboard open; each has it for a moment."""


class EmptyClipboard:
    """Empties the clipboard at the start and after each change; implements ``ClipboardGuard``.

    Windows says in how many forms something is there, which tells of it without looking at it. **Does not stop** the
    clipboard's history from keeping a copy (its key combination is blocked), nor programs that exchange text otherwise.
    """

    def __init__(self, api: Api, table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]) -> None:
        self._api = api
        self._table = table
        self._clock = clock
        self._is_own = is_own
        self._engaged = False
        self._changes = 0
        self._facts: dict[str, str] = {}
        self._last_report: Instant | None = None

    def plan(self) -> Sequence[Undo]:
        """Return nothing: an empty clipboard is nothing to undo, and what was in it was never read."""
        return ()

    def engage(self) -> None:
        """Empty it. Raises ``Unsupported`` if another program keeps it open."""
        for _ in range(TRIES):
            if self._empty():
                self._engaged = True
                return
            self._clock.sleep(BETWEEN_TRIES_S)
        raise unsupported(
            "Another program keeps the clipboard open.", "Close programs that look after the clipboard, then try again."
        )

    def holds(self) -> bool:
        """Whether it is empty now."""
        return self._engaged and self._api.CountClipboardFormats() == 0

    def release(self) -> None:
        """Let others use it again."""
        self._engaged = False

    def observe(self) -> Sequence[Finding]:
        """Empty it after a change by another program, and report changes now and then with their number."""
        if not self._engaged:
            return ()
        if self._api.CountClipboardFormats():
            owner = self._api.GetClipboardOwner()
            pid = pid_of(self._api, owner) if owner else 0
            if self._empty() and not (pid and self._is_own(pid)):
                self._changes += 1
                self._facts = {"selection": "clipboard", **facts_of(self._table.look(pid) if pid else None)}
        return self._report()

    def _empty(self) -> bool:
        if not self._api.OpenClipboard(None):
            return False
        try:
            return bool(self._api.EmptyClipboard())
        finally:
            self._api.CloseClipboard()

    def _report(self) -> Sequence[Finding]:
        now = self._clock.now()
        waiting = self._last_report is not None and now.seconds_since(self._last_report) < REPORT_EVERY_S
        if not self._changes or waiting:
            return ()
        facts = {**self._facts, "changes": str(self._changes)}
        self._changes, self._last_report = 0, now
        return (Finding(kind=IncidentKind.CLIPBOARD, facts=facts),)

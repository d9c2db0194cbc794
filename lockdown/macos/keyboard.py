"""Holds the keyboard by the event tap. It ends with the process, so there is nothing to undo."""

from collections.abc import Sequence

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding, Undo
from lockdown.macos.tap import EventTap

REPORT_EVERY_S = 5.0


class KeyboardGuard:
    """Implements ``InputGuard`` and reports now and then what the tap counted."""

    def __init__(self, tap: EventTap, clock: Clock) -> None:
        self._tap = tap
        self._clock = clock
        self._last_report: Instant | None = None

    def plan(self) -> Sequence[Undo]:
        """Return nothing: a tap ends with its process."""
        return ()

    def engage(self) -> None:
        """Set the tap. Raises ``Unsupported``."""
        self._tap.start()

    def holds(self) -> bool:
        """Whether macOS has the tap switched on."""
        return self._tap.is_on

    def release(self) -> None:
        """Take the tap away."""
        self._tap.stop()

    def observe(self) -> Sequence[Finding]:
        """Return what was swallowed and what programs typed, at most every ``REPORT_EVERY_S`` seconds.

        Raises ``Unsupported`` when the tap is gone and can't be set again: the right was taken away.
        """
        now = self._clock.now()
        if self._last_report is not None and now.seconds_since(self._last_report) < REPORT_EVERY_S:
            return ()
        if not self._tap.is_on:
            self._tap.start()
        found = [
            Finding(kind=IncidentKind.KEY_BLOCKED, facts={"keys": name, "times": str(times)})
            for name, times in sorted(self._tap.take_blocked().items())
        ]
        if injected := self._tap.take_injected():
            facts = {"keys": str(injected), "by": "a program"}
            found.append(Finding(kind=IncidentKind.INPUT_INJECTED, facts=facts))
        if found:
            self._last_report = now
        return found

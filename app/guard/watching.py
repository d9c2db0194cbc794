"""The guard's watch threads: each asks one watch again and again and reports what it finds.

A watch that fails is reported once and asked again later; it never goes silent and never takes another one with it.
Nor does one that sees what can't be told: that much is told, and it goes on.
One that does not answer can't be helped (a disk that stands still, a file system that a candidate made): that is told.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from app.contract.errors import FairlockError
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from lockdown.births import Alert
from lockdown.capabilities import Finding, Limited, Measure, Watch

RETRY_S = 5.0
JOIN_S = 2.0
STUCK_S = 30.0
"""No look takes nearly as long, on the slowest machine."""

Tell = Callable[[Finding, Capability], None]
_log = logging.getLogger("fairlock.guard")


class WatchThread:
    """Asks ``watch`` every ``period_s`` seconds in the thread ``guard-<capability>`` until ``stop``.

    A watch that is an ``Alert`` is asked as soon as it says so, and closed at the end.
    """

    def __init__(self, watch: Watch, capability: Capability, tell: Tell, *, period_s: float) -> None:
        self._watch = watch
        self.capability = capability
        self._tell = tell
        self._period_s = period_s
        self._stop = threading.Event()
        self._failing = False
        self._looking_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"guard-{capability}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it end; does not wait."""
        self._stop.set()
        if isinstance(self._watch, Alert):
            self._watch.interrupt()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join(JOIN_S)

    def tell_if_stuck(self, now_s: float) -> None:
        """Tell, once, that the look under way has lasted too long; ``now_s`` is ``time.monotonic()``. Any thread."""
        since = self._looking_since
        if since is not None and now_s - since >= STUCK_S:
            self._looking_since = None
            self._say(missing(self.capability, f"It has not answered for {STUCK_S:.0f} seconds."))

    def _run(self) -> None:
        try:
            while not self._pause():
                for finding in self._look():
                    self._say(finding)
        finally:
            if isinstance(self._watch, Alert):
                self._watch.close()

    def _say(self, finding: Finding) -> None:
        tell_anyway(self._tell, finding, self.capability)

    def _pause(self) -> bool:
        """Wait until it is time to look; whether it is time to end instead."""
        if self._failing or not isinstance(self._watch, Alert):
            return self._stop.wait(RETRY_S if self._failing else self._period_s)
        self._watch.wait(self._period_s)
        return self._stop.is_set()

    def _look(self) -> Sequence[Finding]:
        self._looking_since = time.monotonic()
        try:
            found = self._watch.observe()
        except Exception as error:  # noqa: BLE001  (a thread's edge: any fault of a watch is an incident)
            if self._failing:
                return ()
            self._failing = True
            if not isinstance(error, FairlockError):
                _log.exception("the watch %s failed", self.capability)
            return (missing(self.capability, str(error) or type(error).__name__),)
        finally:
            self._looking_since = None
        self._failing = False
        return found


class StillHeld:
    """A watch over measures: one that no longer holds is engaged again (with ``engage``), and that is reported.

    One that can't be engaged again is reported once, and tried again at each look.
    """

    def __init__(self, measures: Sequence[tuple[Capability, Measure]], engage: Callable[[Measure], None]) -> None:
        self._measures = measures
        self._engage = engage
        self._lost: set[Capability] = set()

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each measure that somebody undid, with whether it holds again."""
        reasons = [(capability, self._look(capability, measure)) for capability, measure in self._measures]
        return [missing(capability, reason) for capability, reason in reasons if reason]

    def _look(self, capability: Capability, measure: Measure) -> str:
        """Put ``measure`` back if it does not hold; return what is to be told."""
        if measure.holds():
            self._lost.discard(capability)
            return ""
        try:
            self._engage(measure)
            why = measure.limit if isinstance(measure, Limited) else ""
        except FairlockError as error:
            why = str(error)
        if measure.holds():
            self._lost.discard(capability)
            return f"It was undone during the exam and was put back. {why}".rstrip()
        known = capability in self._lost
        self._lost.add(capability)
        return "" if known else f"It was undone during the exam and could not be put back. {why}".rstrip()


def tell_anyway(tell: Tell, finding: Finding, capability: Capability) -> None:
    """Tell ``finding``; where that fails, tell that something was not told. Never raises: other findings wait."""
    try:
        tell(finding, capability)
    except Exception as error:  # noqa: BLE001  (whatever keeps one from being told must not end its watch)
        _log.exception("the watch %s could not tell what it saw", capability)
        reason = f"Something that it saw ({finding.kind}) could not be told ({type(error).__name__})."
        try:
            tell(missing(capability, reason), capability)
        except Exception:  # noqa: BLE001  (likewise; the log has it)
            _log.exception("the watch %s could not even tell that", capability)


def missing(capability: Capability, reason: str) -> Finding:
    """Return the finding that a protection is not there."""
    return Finding(kind=IncidentKind.CAPABILITY_MISSING, facts={"capability": capability, "reason": reason})

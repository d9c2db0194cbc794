"""Programs during the exam: found by the scanner, closed by a thread of its own, both reported.

Closing waits for its victims, so it must not run in the watch's thread, which looks again every quarter second.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.contract.times import Clock
from app.guard.hashing import HashesLater
from app.guard.watching import Tell, tell_anyway
from app.mailbox import Bounded, Closed
from lockdown import closing
from lockdown.births import Births
from lockdown.capabilities import Finding
from lockdown.processes import ProcessTable
from lockdown.rules import Match
from lockdown.watch import ProcessScanner, facts_of

CAPACITY = 512
WAITING = 10_000
"""Programs that wait to be closed where a candidate starts more at once than ``CAPACITY``."""
JOIN_S = 2.0
SMALL = 32 << 20
"""Bytes."""


class Closer:
    """Closes what it is given, in the thread ``guard-closing``, until ``stop``."""

    def __init__(
        self, table: ProcessTable, clock: Clock, tell: Tell, *, grace_s: float, ask_windows: closing.AskWindows
    ) -> None:
        self._table = table
        self._clock = clock
        self._tell = tell
        self._grace_s = grace_s
        self._ask_windows = ask_windows
        self._matches: Bounded[Match] = Bounded(CAPACITY)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guard-closing", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def offer(self, found: Match) -> bool:
        """Close ``found`` soon; ``False`` if too much is waiting."""
        return self._matches.offer(found)

    def stop(self) -> None:
        """End nothing more; waits for the thread."""
        self._stopped.set()
        self._matches.close()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._close(self._next())
        except Closed:
            return

    def _next(self) -> list[Match]:
        """Wait for one, and take all that came with it: they have their grace together."""
        found = [self._matches.take()]
        while len(self._matches):
            found.append(self._matches.take(0))
        return [match for match in found if match is not None]

    def _close(self, found: Sequence[Match]) -> None:
        facts = {each.program.pid: facts_of(each, self._table.sha256) for each in found}
        done = closing.close(
            found,
            self._table,
            self._clock,
            grace_s=self._grace_s,
            ask_windows=self._ask_windows,
            cancelled=self._stopped.is_set,
        )
        for kind, matches in (
            (IncidentKind.PROCESS_CLOSED, done.closed),
            (IncidentKind.PROCESS_NOT_CLOSED, done.left),
        ):
            for each in matches:
                finding = Finding(kind=kind, facts=facts[each.program.pid])
                tell_anyway(self._tell, finding, Capability.PROCESS_WATCH)


class ExamPrograms:
    """A watch that tells of prohibited programs and hands them to ``offer``; wakes up when one may have started.

    It tells before it hands over, so that the record has finding and closing in this order. What can't be told is
    handed over all the same.
    """

    def __init__(
        self,
        scanner: ProcessScanner,
        table: ProcessTable,
        births: Births,
        hashes: HashesLater,
        tell: Tell,
        offer: Callable[[Match], bool],
    ) -> None:
        self._scanner = scanner
        self._table = table
        self._births = births
        self._hashes = hashes
        self._tell = tell
        self._offer = offer
        self._waiting: list[Match] = []

    def observe(self) -> Sequence[Finding]:
        """Tell of each program found since the last call; return those that can't even be tried to close.

        What the closer has no room for is offered again at the next look.
        """
        findings = []
        for found in self._scanner.find_new():
            facts = facts_of(found, self._table.sha256 if _is_small(found) else None)
            finding = Finding(kind=IncidentKind.PROCESS_FOUND, facts=facts)
            tell_anyway(self._tell, finding, Capability.PROCESS_WATCH)
            if len(self._waiting) < WAITING:
                self._waiting.append(found)
            else:
                findings.append(Finding(kind=IncidentKind.PROCESS_NOT_CLOSED, facts=facts))
        taken = next((place for place, found in enumerate(self._waiting) if not self._offer(found)), len(self._waiting))
        del self._waiting[:taken]
        return findings

    def wait(self, seconds: float) -> None:
        """Return when a program may have started, and at the latest after ``seconds``."""
        self._births.wait(seconds)

    def interrupt(self) -> None:
        """Wait no more."""
        self._births.interrupt()

    def close(self) -> None:
        """Give back what it holds."""
        self._births.close()
        self._hashes.stop()


def _is_small(found: Match) -> bool:
    """Whether its hash takes no noticeable time; that of a larger one comes with the report of its closing."""
    try:
        return Path(found.program.path).stat().st_size <= SMALL
    except OSError:
        return True

"""Programs during the exam: found by the scanner, closed by a thread of its own, both reported.

Closing waits for its victims, so it must not run in the watch's thread, which looks again every quarter second.
"""

import threading
from collections.abc import Callable, Sequence

from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.contract.times import Clock
from app.guard.watching import Tell
from app.mailbox import Bounded, Closed
from lockdown import closing
from lockdown.capabilities import Finding
from lockdown.processes import ProcessTable
from lockdown.rules import Match
from lockdown.watch import ProcessScanner, facts_of

CAPACITY = 64
JOIN_S = 2.0


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
                found = self._matches.take()
                if found is not None:
                    self._close(found)
        except Closed:
            return

    def _close(self, found: Match) -> None:
        done = closing.close(
            [found],
            self._table,
            self._clock,
            grace_s=self._grace_s,
            ask_windows=self._ask_windows,
            cancelled=self._stopped.is_set,
        )
        kind = IncidentKind.PROCESS_CLOSED if done.closed else IncidentKind.PROCESS_NOT_CLOSED
        self._tell(Finding(kind=kind, facts=facts_of(found)), Capability.PROCESS_WATCH)


class ExamPrograms:
    """A watch that reports prohibited programs and hands them to ``close``."""

    def __init__(self, scanner: ProcessScanner, table: ProcessTable, close: Callable[[Match], bool]) -> None:
        self._scanner = scanner
        self._table = table
        self._close = close

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each program found since the last call, with the hash of its executable."""
        findings = []
        for found in self._scanner.find_new():
            facts = facts_of(found, self._table.sha256)
            findings.append(Finding(kind=IncidentKind.PROCESS_FOUND, facts=facts))
            if not self._close(found):
                findings.append(Finding(kind=IncidentKind.PROCESS_NOT_CLOSED, facts=facts))
        return findings

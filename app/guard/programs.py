"""Programs during the exam: found by the scanner, closed by a thread of its own, both reported.

Closing waits for its victims, so it must not run in the watch's thread, which looks again every quarter second.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.contract.times import Clock
from app.guard.hashing import HashesLater
from app.guard.late_hashes import LateHashes
from app.guard.watching import Tell, tell_anyway
from app.mailbox import Bounded, Closed
from lockdown import closing
from lockdown.births import Births
from lockdown.capabilities import Finding
from lockdown.hashing import Executable
from lockdown.processes import ProcessTable
from lockdown.rules import Match
from lockdown.watch import ProcessScanner, facts_of

CAPACITY = 512
WAITING = 10_000
"""Programs that wait to be closed where a candidate starts more at once than ``CAPACITY``."""
JOIN_S = 2.0
SMALL = 32 << 20
"""Bytes that a look may read for hashes, some hundredths of a second; what is longer is read when it was closed."""
_log = logging.getLogger("fairlock.guard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A program to be closed, with its facts as it was seen, and its executable where that is still to be read."""

    match: Match
    facts: Mapping[str, str]
    held: Executable | None = None

    def release(self) -> "Suspect":
        """Let go of the executable: it stays without a hash."""
        if self.held is not None:
            self.held.close()
        return replace(self, held=None)


class Closer:
    """Closes what it is given, in the thread ``guard-closing``, until ``stop``; reads nothing from any disk."""

    def __init__(
        self, table: ProcessTable, clock: Clock, tell: Tell, *, grace_s: float, ask_windows: closing.AskWindows
    ) -> None:
        self._table = table
        self._clock = clock
        self._tell = tell
        self._grace_s = grace_s
        self._ask_windows = ask_windows
        self._late = LateHashes(tell)
        self._suspects: Bounded[Suspect] = Bounded(CAPACITY)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guard-closing", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def offer(self, found: Suspect) -> bool:
        """Close ``found`` soon; ``False`` if too much is waiting."""
        return self._suspects.offer(found)

    def stop(self) -> None:
        """End nothing more; waits for the thread."""
        self._stopped.set()
        self._suspects.close()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)
        for suspect in self._left():
            suspect.release()
        self._late.stop()

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._close(self._next())
        except Closed:
            return

    def _next(self) -> list[Suspect]:
        """Wait for one, and take all that came with it: they have their grace together."""
        found = [self._suspects.take()]
        while len(self._suspects):
            found.append(self._suspects.take(0))
        return [suspect for suspect in found if suspect is not None]

    def _left(self) -> Iterator[Suspect]:
        with contextlib.suppress(Closed):
            while (suspect := self._suspects.take(0)) is not None:
                yield suspect

    def _close(self, found: Sequence[Suspect]) -> None:
        done = closing.close(
            [suspect.match for suspect in found],
            self._table,
            self._clock,
            grace_s=self._grace_s,
            ask_windows=self._ask_windows,
            cancelled=self._stopped.is_set,
        )
        now = self._clock.now()
        for suspect in found:
            if suspect.match in done.left:
                suspect.release()
                finding = Finding(kind=IncidentKind.PROCESS_NOT_CLOSED, facts=suspect.facts)
                tell_anyway(self._tell, finding, Capability.PROCESS_WATCH)
            else:
                finding = Finding(kind=IncidentKind.PROCESS_CLOSED, facts=suspect.facts, seen=now)
                self._late.tell(finding, suspect.held)


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
        offer: Callable[[Suspect], bool],
    ) -> None:
        self._scanner = scanner
        self._table = table
        self._births = births
        self._hashes = hashes
        self._tell = tell
        self._offer = offer
        self._waiting: list[Suspect] = []

    def observe(self) -> Sequence[Finding]:
        """Tell of each program found since the last call; return those that can't even be tried to close.

        What the closer has no room for is offered again at the next look.
        """
        findings = []
        left = SMALL
        for found in self._scanner.find_new():
            suspect, cost = self._look_at(found, left)
            left -= cost
            finding = Finding(kind=IncidentKind.PROCESS_FOUND, facts=suspect.facts)
            tell_anyway(self._tell, finding, Capability.PROCESS_WATCH)
            if len(self._waiting) < WAITING:
                self._waiting.append(suspect)
            else:
                suspect.release()
                findings.append(Finding(kind=IncidentKind.PROCESS_NOT_CLOSED, facts=suspect.facts))
        taken = next((place for place, found in enumerate(self._waiting) if not self._offer(found)), len(self._waiting))
        self._waiting = [found.release() for found in self._waiting[taken:]]
        return findings

    def _look_at(self, found: Match, left: int) -> tuple[Suspect, int]:
        """Return what is to be closed, with its hash if reading takes at most ``left`` bytes, and what was read.

        It is closed all the same where its executable can't be read, whatever the reason.
        """
        try:
            return self._read(found, left)
        except Exception:  # noqa: BLE001  (whatever a file does, its program must be closed)
            _log.exception("the executable of %s could not be read", found.program.pid)
            return Suspect(match=found, facts=facts_of(found)), 0

    def _read(self, found: Match, left: int) -> tuple[Suspect, int]:
        held = self._table.hold(found.program)
        if held is None:
            return Suspect(match=found, facts=facts_of(found)), 0
        if (cost := held.cost) > left:
            return Suspect(match=found, facts=facts_of(found), held=held), 0
        try:
            digest = held.sha256()
        finally:
            held.close()
        return Suspect(match=found, facts=facts_of(found, lambda _program: digest)), cost

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

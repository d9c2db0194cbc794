"""What the guard holds during one exam: measures that are engaged, and the threads that look after them.

Main thread of the guard only. It changes the machine through ``RestoreFile`` alone and undoes nothing beyond the life
of this process: that is replayed from the file.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack

from app.contract.errors import FairlockError
from app.contract.policy import Capability
from app.guard.programs import Closer
from app.guard.watching import StillHeld, Tell, WatchThread, missing
from lockdown.capabilities import Measure, Part, Platform, Watch
from lockdown.environment.evidence import Survey
from lockdown.restore import RestoreFile
from lockdown.watch import POLL_S

CLIPBOARD_PERIOD_S = 0.1
STILL_HELD_PERIOD_S = 5.0
SURVEY_PERIOD_S = 1.0


class Holding:
    """``tell`` takes what the watches find; ``cancelled`` says that nobody waits for the exam any more.

    ``whole`` are the capabilities that do not hold at all if they hold only in part (``Limited``).
    """

    def __init__(
        self,
        restore: RestoreFile,
        tell: Tell,
        cancelled: Callable[[], bool],
        desktop: Platform,
        closer: Closer,
        *,
        whole: Collection[Capability] = (),
    ) -> None:
        self._restore = restore
        self._tell = tell
        self._cancelled = cancelled
        self._desktop = desktop
        self._closer = closer
        self._whole = whole
        self._measures: list[tuple[Capability, Measure]] = []
        self._watches: list[WatchThread] = []
        self._stopped = threading.Event()

    def take(self) -> dict[str, str]:
        """Engage every measure of the desktop; return what does not hold, and why."""
        return {name: reason for name, part in self._desktop.parts.items() if (reason := self._take(name, part))}

    def watch(self, lacks: Mapping[str, str], surveys: Sequence[tuple[Capability, Watch]] = ()) -> None:
        """Start the threads of what is there; ``surveys`` are watches over the parts that can be surveyed."""
        self._closer.start()
        for name, part in self._desktop.parts.items():
            if isinstance(part, Watch) and not isinstance(part, Survey) and name not in lacks:
                period = CLIPBOARD_PERIOD_S if name is Capability.CLIPBOARD_GUARD else POLL_S
                self._watches.append(WatchThread(part, name, self._tell, period_s=period))
        for name, watch in self._desktop.beside:
            if isinstance(watch, FairlockError):
                self._tell(missing(name, str(watch)), name)
            else:
                self._watches.append(WatchThread(watch, name, self._tell, period_s=POLL_S))
        for name, watch in surveys:
            self._watches.append(WatchThread(watch, name, self._tell, period_s=SURVEY_PERIOD_S))
        # A measure that is a watch as well looks after itself, in its own thread.
        alone = [(name, measure) for name, measure in self._measures if not isinstance(measure, Watch)]
        for name, measure in alone:
            still = StillHeld([(name, measure)], self._engage)
            self._watches.append(WatchThread(still, name, self._tell, period_s=STILL_HELD_PERIOD_S))
        for thread in self._watches:
            thread.start()

    def look_after(self, now_s: float) -> None:
        """Tell which watches do not answer; ``now_s`` is ``time.monotonic()``."""
        for thread in self._watches:
            thread.tell_if_stuck(now_s)

    def stop(self) -> None:
        """From now on nothing is engaged any more, not by a thread that still runs either. Does not wait."""
        self._stopped.set()
        for thread in self._watches:
            thread.stop()

    def let_go(self) -> None:
        """Stop, and give back what lives in this process. Each part is given its turn even if another one fails."""
        self.stop()
        held = {name for name, _ in self._measures}
        with ExitStack() as turns:  # the last one first
            turns.callback(self._desktop.close)
            turns.callback(self._closer.stop)
            # A watch that only looks may take longer to end: what is held does not wait for it.
            for thread in self._watches:
                if thread.capability not in held:
                    turns.callback(thread.join)
            for _, measure in reversed(self._measures):
                turns.callback(measure.release)
            for thread in self._watches:
                if thread.capability in held:
                    turns.callback(thread.join)

    def _take(self, name: Capability, part: Part) -> str:
        """Engage ``part`` if it is a measure; return why it does not hold, or an empty text."""
        if isinstance(part, FairlockError):
            return str(part)
        if not isinstance(part, Measure):
            return self._limit(name)
        if self._cancelled():
            return "The exam ended before it was engaged."
        try:
            self._engage(part)
            self._measures.append((name, part))
            limit = self._limit(name)
            return limit if part.holds() else "It did not take effect."
        except FairlockError as error:
            return str(error)
        except OSError as error:
            # A full disk: what can't be written down is not changed.
            return f"It was not engaged: {error.strerror or error}."

    def _limit(self, name: Capability) -> str:
        """Return what a part leaves open if that must not be; else tell it."""
        limit = self._desktop.limit(name)
        if limit and name not in self._whole:
            self._tell(missing(name, limit), name)
        return limit if name in self._whole else ""

    def _engage(self, measure: Measure) -> None:
        self._restore.engage(measure, wanted=lambda: not self._stopped.is_set())

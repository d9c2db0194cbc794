"""Keeps live view back while evidence waits: recording and its upload come first on a thin link.

Asked in the thread ``live`` at each beat; told by the uploader's threads what came in time. Never touches the upload,
and drops nothing itself: whoever is held does (``LiveFeed``).
"""

import threading
from collections.abc import Callable

from app.contract.times import Clock

MOST_WAITING = 5
"""Closed segments that may wait: each of the five tracks closes one at about the same time."""
FEW_WAITING = 1
LATE_IN_A_ROW = 3
"""So many segments whose pieces did not come in time are no coincidence; each of them was sent twice."""
FIRST_QUIET_S, LONGEST_QUIET_S = 10.0, 300.0
PROVED_S = 120.0
"""A link that carried live view for so long is trusted anew."""


class BacklogHold:
    """Holds from more than ``MOST_WAITING`` segments on, until for a while no more than that waited and few do.

    The while doubles each time that live view is held again soon, so that a link that can't carry it is seldom tried.
    ``waiting`` returns how many closed segments the server has not yet. Safe to use from several threads.
    """

    def __init__(self, waiting: Callable[[], int], clock: Clock) -> None:
        self._waiting, self._clock = waiting, clock
        self._lock = threading.Lock()
        self._quiet_s = FIRST_QUIET_S
        self._holds = False
        self._late = 0
        self._since_ns = self._now_ns()  # when it was last too much, or when it last let go

    def holds(self) -> bool:
        """Look, and say whether nothing may be sent live now."""
        waiting = self._waiting()
        with self._lock:
            if waiting > MOST_WAITING or self._late >= LATE_IN_A_ROW:
                self._begin()
            elif self._holds and waiting <= FEW_WAITING and self._passed_s() >= self._quiet_s:
                self._holds, self._since_ns = False, self._now_ns()
            return self._holds

    def came(self, in_time: bool) -> None:
        """Hear of a closed segment whose pieces were sent whether all of them came in time."""
        with self._lock:
            self._late = 0 if in_time else self._late + 1

    def _begin(self) -> None:
        if not self._holds:
            soon = self._passed_s() < max(PROVED_S, 2 * self._quiet_s)
            self._quiet_s = min(LONGEST_QUIET_S, 2 * self._quiet_s) if soon else FIRST_QUIET_S
        self._holds, self._late = True, 0
        self._since_ns = self._now_ns()

    def _passed_s(self) -> float:
        return (self._now_ns() - self._since_ns) / 1e9

    def _now_ns(self) -> int:
        return self._clock.now().mono_ns

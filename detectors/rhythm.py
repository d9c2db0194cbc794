"""How often somebody looks, learnt from the looks themselves. Pure, no clock.

The rate of analysis follows the machine's load, so nobody can say beforehand how long the pause between two looks is.
"""

from collections import deque

from app.contract.policy import Detection
from app.contract.times import Instant

MISSES = 3.5
"""So many looks long a pause may be: two misses in a row do not end what three looks of six have seen."""
GAP_MS = 3_000
"""Longest pause inside one incident, where looks come often enough."""
USUAL_PERMILLE = 2_000
"""Looks per 1,000 seconds of the slowest detector on a machine that can afford them."""
LONGEST_MS = 5_000.0
"""The slowest rate there is; what is longer is a hole in the recording, and no rhythm."""


class Rhythm:
    """The longest of the last three times between two looks."""

    def __init__(self) -> None:
        self._last: Instant | None = None
        self._between: deque[float] = deque(maxlen=3)

    def tick(self, at: Instant) -> None:
        """Note a look at ``at``, in order of time."""
        if self._last is not None:
            self._between.append(min(LONGEST_MS, at.seconds_since(self._last) * 1e3))
        self._last = at

    @property
    def period_ms(self) -> float:
        """Milliseconds from one look to the next, 0 while nobody knows."""
        return max(self._between, default=0.0)


def pauses(policy: Detection) -> tuple[int, int]:
    """Return the longest pause, in ms, inside what is becoming an incident, and inside one that is."""
    pause_ms = round(MISSES * 1e6 / min(policy.rate_permille, USUAL_PERMILLE))
    return pause_ms, max(GAP_MS, pause_ms)

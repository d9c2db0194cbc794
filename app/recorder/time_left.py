"""Says how long an upload will still take, by the rate of the last seconds. Pure but for its clock."""

import math

from app.contract.times import Clock

WINDOW_S = 20.0
LEAST_S = 2.0
"""Before that, a rate says nothing."""
_STEP_S = 0.25


class TimeLeft:
    """Remembers how much was received when, for the last ``WINDOW_S`` seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: list[tuple[float, int]] = []

    def estimate(self, sent: int, total: int) -> int | None:
        """Return the seconds until ``total`` bytes are received, ``None`` while nobody can say."""
        now_s = self._clock.now().mono_ns / 1e9
        if not self._seen or now_s - self._seen[-1][0] >= _STEP_S:
            self._seen.append((now_s, sent))
        while len(self._seen) > 1 and now_s - self._seen[0][0] > WINDOW_S:
            self._seen.pop(0)
        first_s, first = self._seen[0]
        took_s, gained = now_s - first_s, sent - first
        if took_s < LEAST_S or gained <= 0:
            return None
        return math.ceil(max(0, total - sent) * took_s / gained)

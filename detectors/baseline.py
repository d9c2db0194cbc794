"""What is straight ahead for this person at this camera: learned from what is looked at most. Pure, no clock.

A camera may stand beside or above the screen, so zero degrees mean nothing. At first the baseline is the median of
the first steady stretch (``FIRST_S``); later, so that somebody who moves the chair is not "looking away" for the rest
of the exam, the median of the last ``WINDOW_S``, once ``ENOUGH_S`` of them were seen. Whoever looks at another place
for most of five minutes makes that the baseline, after having been reported for at least two.
"""

from collections import deque
from itertools import islice

import numpy as np

from app.contract.times import Instant

FIRST_S = 3.0
FIRST_LOOKS = 4
STEADY_DEGREES = 10.0
"""Readings of the first stretch lie within this of their median; else the next stretch is tried."""
PATIENCE_S = 20.0
"""After this the median of what there was has to do: some people never sit still."""
FRONTAL_DEGREES = 50.0
"""Nobody sits down to an exam with the head turned further than this from a camera that is to see the face."""
WINDOW_S = 300.0
MOST_LOOKS = 1_500
"""Looks in the window at five a second, the most there are."""
ENOUGH_S = 120.0

Reading = tuple[float, ...]


class Baseline:
    """The median of readings (angles in degrees, any number of them in each)."""

    def __init__(self) -> None:
        self._seen: deque[tuple[Instant, Reading]] = deque(maxlen=MOST_LOOKS)
        self._first: Reading | None = None
        self.looks = 0

    @property
    def value(self) -> Reading | None:
        """Straight ahead in degrees, or ``None`` while it is being learned."""
        if self._first is not None and self._span() >= ENOUGH_S:
            return self._median(0)
        return self._first

    def add(self, at: Instant, reading: Reading) -> None:
        """Take the next reading."""
        if self._first is None and any(abs(angle) > FRONTAL_DEGREES for angle in reading):
            return
        self._seen.append((at, reading))
        while at.seconds_since(self._seen[0][0]) > WINDOW_S:
            self._seen.popleft()
        self.looks = len(self._seen)
        if self._first is None:
            self._first = self._learned(at)

    def set(self, reading: Reading) -> None:
        """Start from what was measured before the exam."""
        self._first = reading

    def _learned(self, at: Instant) -> Reading | None:
        start = next(i for i, (when, _) in enumerate(self._seen) if at.seconds_since(when) <= FIRST_S)
        # One reading more: the stretch has to last, not only to be no older.
        start = max(0, start - 1)
        middle = self._median(start)
        readings = [reading for _, reading in islice(self._seen, start, None)]
        long_enough = at.seconds_since(self._seen[start][0]) >= FIRST_S and len(readings) >= FIRST_LOOKS
        steady = all(abs(a - b) <= STEADY_DEGREES for one in readings for a, b in zip(one, middle, strict=True))
        if long_enough and steady:
            return middle
        return self._median(0) if self._span() >= PATIENCE_S else None

    def _span(self) -> float:
        return self._seen[-1][0].seconds_since(self._seen[0][0]) if self._seen else 0.0

    def _median(self, start: int) -> Reading:
        readings = np.array([reading for _, reading in islice(self._seen, start, None)])
        return tuple(float(angle) for angle in np.median(readings, axis=0))

"""The exam's time: how much is left, or has passed. Pure; by the monotonic clock, so setting the clock is no help."""

import math

from app.contract.times import Clock, Instant


class Countdown:
    """Starts at the first ``start``; stands still between ``hold`` and ``go_on``.

    An exam that is taken up again has used ``used_s`` seconds, and its time runs from the beginning. In ``closes_in_s``
    seconds from now the exam closes for everybody, whatever was held: its policy ceases to hold then.
    """

    def __init__(
        self, clock: Clock, duration_s: int | None, *, used_s: float = 0.0, closes_in_s: float | None = None
    ) -> None:
        self._clock = clock
        self._made = clock.now()
        self._closes_in_s = closes_in_s
        self._duration_s = duration_s
        self._used_s = used_s
        self._started: Instant | None = clock.now() if used_s > 0.0 else None
        self._held_since: Instant | None = None
        self._held_s = 0.0

    @property
    def has_limit(self) -> bool:
        """Whether the exam ends by itself."""
        return self._duration_s is not None

    def start(self) -> None:
        """The candidate sees the exam; later calls change nothing."""
        if self._started is None:
            self._started = self._clock.now()

    def hold(self) -> None:
        """Stand still."""
        if self._held_since is None:
            self._held_since = self._clock.now()

    def go_on(self) -> None:
        """Run again."""
        if self._held_since is not None:
            self._held_s += self._clock.now().seconds_since(self._held_since)
            self._held_since = None

    def elapsed_s(self) -> float:
        """Return the seconds that count."""
        if self._started is None:
            return 0.0
        until = self._held_since or self._clock.now()
        return self._used_s + max(0.0, until.seconds_since(self._started) - self._held_s)

    def shown_s(self) -> float:
        """Return what the bar shows: the seconds left, or those elapsed where there is no limit."""
        if self._duration_s is None:
            return self.elapsed_s()
        return max(0.0, min(self._duration_s - self.elapsed_s(), self._until_closing_s()))

    def is_up(self) -> bool:
        """Whether the time allowed is over, or the exam has closed."""
        if self._started is None:
            return False
        return self._until_closing_s() <= 0.0 or (self._duration_s is not None and self.shown_s() <= 0.0)

    def _until_closing_s(self) -> float:
        if self._closes_in_s is None:
            return math.inf
        return self._closes_in_s - self._clock.now().seconds_since(self._made)

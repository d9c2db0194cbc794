"""A token bucket: at most so many looks a second, judged by the time on the frames themselves. Pure, no clock."""

from app.contract.times import Instant

CARRIED = 0.4


class TokenBucket:
    """Allows ``rate`` per second on average and at most one more than that at once; ``rate`` may be changed.

    What a look came late, because frames come at their own times, is made good at the next, up to ``CARRIED``.
    """

    def __init__(self, rate: float) -> None:
        if rate <= 0:
            raise ValueError("rate must be above 0")
        self.rate = rate
        self._tokens = 1.0
        self._last: Instant | None = None

    def take(self, at: Instant) -> bool:
        """Say whether a look may be taken at ``at``, and count it."""
        if self._last is not None:
            self._tokens = min(1.0 + CARRIED, self._tokens + self.rate * max(0.0, at.seconds_since(self._last)))
        self._last = at
        # A frame that comes a hair early (camera jitter) must not be put off by a whole frame.
        if self._tokens < 0.98:
            return False
        self._tokens -= 1.0
        return True

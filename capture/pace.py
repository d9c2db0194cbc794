"""When the next picture or chunk is due. Pure but for the clock it is given."""

from app.contract.times import Clock, Instant


class Pacer:
    """Ticks at ``rate`` per second, anchored at the first tick so that it does not drift.

    ``skip_late`` decides what happens to ticks that passed while the caller was busy: a camera skips them, a file
    of sound does not.
    """

    def __init__(self, rate: float, clock: Clock, *, skip_late: bool) -> None:
        self._period_ns = 1e9 / rate
        self._clock = clock
        self._skip_late = skip_late
        self._anchor: Instant | None = None
        self._tick = 0

    def wait(self) -> Instant:
        """Sleep until the next tick and return the moment it was due; the first is now."""
        now = self._clock.now()
        if self._anchor is None:
            self._anchor, self._tick = now, 0
            return now
        elapsed = (now.mono_ns - self._anchor.mono_ns) / self._period_ns
        self._tick = max(self._tick + 1, int(elapsed)) if self._skip_late else self._tick + 1
        due_ns = self._anchor.mono_ns + round(self._tick * self._period_ns)
        if due_ns > now.mono_ns:
            self._clock.sleep((due_ns - now.mono_ns) / 1e9)
            now = self._clock.now()
        return Instant(mono_ns=due_ns, utc_ms=now.utc_ms - (now.mono_ns - due_ns) // 1_000_000)

    def restart(self) -> None:
        """Forget the anchor; the next tick is now."""
        self._anchor = None

"""When a block of sound was captured, told from when it arrived. Pure."""

from app.contract.times import Instant

_WINDOW_S = 10
_TOLERANCE_NS = 10_000_000


class SampleClock:
    """Capture times for blocks that arrive late and in bursts, but are captured evenly.

    A block can arrive late, never early, so the least lateness in a window of ten seconds shows how far the
    sound card's clock drifted from the system's; the times then follow it.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._anchor: Instant | None = None
        self._samples = 0
        self._least_ns: int | None = None
        self._seen = 0

    def stamp(self, arrived: Instant, samples: int) -> Instant:
        """Return the capture time of the first of ``samples`` whose last one arrived at ``arrived``."""
        length_ns = samples * 1_000_000_000 // self._rate
        if self._anchor is None:
            self._anchor, self._samples = _shift(arrived, -length_ns), 0
        at = _shift(self._anchor, self._samples * 1_000_000_000 // self._rate)
        late_ns = arrived.mono_ns - (at.mono_ns + length_ns)
        self._least_ns = late_ns if self._least_ns is None else min(self._least_ns, late_ns)
        self._seen += samples
        self._samples += samples
        if self._seen >= _WINDOW_S * self._rate:
            if abs(self._least_ns) > _TOLERANCE_NS:
                self._anchor = _shift(self._anchor, self._least_ns)
            self._least_ns, self._seen = None, 0
        return Instant(mono_ns=at.mono_ns, utc_ms=arrived.utc_ms - (arrived.mono_ns - at.mono_ns) // 1_000_000)

    def lost(self) -> None:
        """Say that samples are missing: the next block is timed by its arrival alone."""
        self._anchor, self._least_ns, self._seen = None, None, 0


def _shift(at: Instant, by_ns: int) -> Instant:
    return Instant(mono_ns=at.mono_ns + by_ns, utc_ms=at.utc_ms + by_ns // 1_000_000)

"""The session's timeline: milliseconds since the recording's origin, by the monotonic clock. Pure."""

from app.contract.times import Instant


def to_ms(at: Instant, origin: Instant) -> int:
    """Return the whole milliseconds from ``origin`` to ``at``; never less than 0."""
    return max(0, (at.mono_ns - origin.mono_ns) // 1_000_000)


def to_samples(at: Instant, origin: Instant, rate: int) -> int:
    """Return the samples of ``rate`` hertz from ``origin`` to ``at``; never less than 0."""
    return max(0, (at.mono_ns - origin.mono_ns) * rate // 1_000_000_000)


def to_instant(ms: int, origin: Instant) -> Instant:
    """Return the moment ``ms`` after ``origin``; its wall clock is that of the origin carried on."""
    return Instant(mono_ns=origin.mono_ns + ms * 1_000_000, utc_ms=origin.utc_ms + ms)

"""Instants: each time carries the monotonic clock and UTC, so that a changed wall clock shows and hurts nothing."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Instant:
    """A moment on this machine.

    ``mono_ns`` counts nanoseconds of the monotonic clock (comparable within one boot only), ``utc_ms`` is
    milliseconds since 1970-01-01 UTC as the wall clock said at the same moment.
    """

    mono_ns: int
    utc_ms: int

    def seconds_since(self, earlier: "Instant") -> float:
        """Return the monotonic seconds from ``earlier`` to this instant."""
        return (self.mono_ns - earlier.mono_ns) / 1e9


class Clock(Protocol):
    """Where time comes from; the real one is ``app.clock.SystemClock``, tests use ``app.clock.ManualClock``."""

    def now(self) -> Instant:
        """Return the present moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for ``seconds``."""
        ...

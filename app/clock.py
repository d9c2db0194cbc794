"""The clocks: the system's, and one for tests that moves only when told to."""

import threading
import time

from app.contract.times import Instant


class SystemClock:
    """The machine's clocks."""

    def now(self) -> Instant:
        """Return the present moment."""
        return Instant(mono_ns=time.monotonic_ns(), utc_ms=time.time_ns() // 1_000_000)

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for ``seconds``."""
        time.sleep(max(0.0, seconds))


class ManualClock:
    """A clock that moves only by ``advance`` and ``sleep``; safe to share between threads."""

    def __init__(self, *, mono_ns: int = 1_000_000_000, utc_ms: int = 1_800_000_000_000) -> None:
        self._lock = threading.Lock()
        self._mono_ns = mono_ns
        self._utc_ms = utc_ms

    def now(self) -> Instant:
        """Return the moment it stands at."""
        with self._lock:
            return Instant(mono_ns=self._mono_ns, utc_ms=self._utc_ms)

    def sleep(self, seconds: float) -> None:
        """Advance by ``seconds`` at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        with self._lock:
            self._mono_ns += round(seconds * 1e9)
            self._utc_ms += round(seconds * 1e3)

    def jump_wall(self, seconds: float) -> None:
        """Move only the wall clock, as a person who sets the time does."""
        with self._lock:
            self._utc_ms += round(seconds * 1e3)

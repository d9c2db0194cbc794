"""Slows down the guessing of passwords: counts failed logins by name, in this process's memory."""

import threading
from dataclasses import dataclass

from server.clock import Now
from server.refused import Refused

FREE = 5
FORGET_MS = 15 * 60_000
FIRST_WAIT_MS = 2_000
LONGEST_WAIT_MS = 60_000
MAX_NAMES = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last_ms: int


class Attempts:
    """After five failures a name has to wait: 2 s, then twice as long each time, at most a minute.

    Mitigates against guessing. Does not stop somebody from making an examiner wait a minute.
    """

    def __init__(self, now: Now) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failures: dict[str, _Failures] = {}

    def check(self, name: str) -> None:
        """Raise ``Refused`` 429 while ``name`` has to wait."""
        with self._lock:
            wait = self._wait_ms(name)
        if wait > 0:
            raise Refused(429, "E-BUSY", "too many failed logins", retry_after_s=-(-wait // 1000))

    def failed(self, name: str) -> None:
        """Count a failure."""
        now = self._now()
        with self._lock:
            if len(self._failures) >= MAX_NAMES:
                self._forget(now)
            known = self._failures.get(name)
            count = known.count + 1 if known and now - known.last_ms < FORGET_MS else 1
            self._failures[name] = _Failures(count=count, last_ms=now)

    def succeeded(self, name: str) -> None:
        """Forget the failures of ``name``."""
        with self._lock:
            self._failures.pop(name, None)

    def _wait_ms(self, name: str) -> int:
        known = self._failures.get(name)
        if known is None or known.count < FREE:
            return 0
        pause = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(known.count - FREE, 10))
        return known.last_ms + pause - self._now()

    def _forget(self, now: int) -> None:
        fresh = {name: entry for name, entry in self._failures.items() if now - entry.last_ms < LONGEST_WAIT_MS}
        self._failures = fresh if len(fresh) < MAX_NAMES else {}

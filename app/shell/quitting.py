"""The quit code: compared by digest, and slower with each wrong try. Pure."""

import hashlib
import hmac
from enum import Enum

from app.contract.times import Clock, Instant

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 60.0


class Answer(Enum):
    """What came of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    TOO_SOON = "too soon"


class QuitCode:
    """``digest`` is the SHA-256 of the code, or ``None``: then no code is right."""

    def __init__(self, digest: bytes | None, clock: Clock) -> None:
        self._digest = digest
        self._clock = clock
        self._wait_s = 0.0
        self._last: Instant | None = None

    @property
    def exists(self) -> bool:
        """Whether the policy has one."""
        return self._digest is not None

    def attempt(self, code: str) -> Answer:
        """Try ``code``; a try that comes too soon is not looked at."""
        if self._digest is None:
            return Answer.WRONG
        now = self._clock.now()
        if self._last is not None and now.seconds_since(self._last) < self._wait_s:
            return Answer.TOO_SOON
        if hmac.compare_digest(hashlib.sha256(code.strip().encode()).digest(), self._digest):
            return Answer.RIGHT
        self._last = now
        self._wait_s = min(LONGEST_WAIT_S, max(FIRST_WAIT_S, 2 * self._wait_s))
        return Answer.WRONG

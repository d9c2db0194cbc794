"""The quit code: slower to try with each wrong one. Pure."""

from enum import Enum

from app.contract.codes import is_code
from app.contract.times import Clock, Instant

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 60.0


class Answer(Enum):
    """What came of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    TOO_SOON = "too soon"


class QuitCode:
    """``stored`` is the policy's ``quit_code``, or ``None``: then no code is right."""

    def __init__(self, stored: bytes | None, clock: Clock) -> None:
        self._stored = stored
        self._clock = clock
        self._wait_s = 0.0
        self._last: Instant | None = None

    @property
    def exists(self) -> bool:
        """Whether the policy has one."""
        return self._stored is not None

    def attempt(self, code: str) -> Answer:
        """Try ``code``; a try that comes too soon is not looked at."""
        if self._stored is None:
            return Answer.WRONG
        now = self._clock.now()
        if self._last is not None and now.seconds_since(self._last) < self._wait_s:
            return Answer.TOO_SOON
        if is_code(code, self._stored):
            return Answer.RIGHT
        self._last = now
        self._wait_s = min(LONGEST_WAIT_S, max(FIRST_WAIT_S, 2 * self._wait_s))
        return Answer.WRONG

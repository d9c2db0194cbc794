"""The quit code: slower to try with each wrong one. Pure."""

from collections.abc import Callable
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
    """``stored`` is the policy's ``quit_code``, or ``None``: then no code is right.

    ``tries`` were made before a restart; the wait after the last of them begins anew. ``on_try`` is told each further
    number before that code is looked at, so that ending the application before the answer forgets none.
    """

    def __init__(
        self,
        stored: bytes | None,
        clock: Clock,
        *,
        tries: int = 0,
        on_try: Callable[[int], None] = lambda _tries: None,
    ) -> None:
        self._stored = stored
        self._clock = clock
        self._on_try = on_try
        self.tries = tries
        self._last: Instant | None = clock.now() if tries else None

    @property
    def exists(self) -> bool:
        """Whether the policy has one."""
        return self._stored is not None

    def attempt(self, code: str) -> Answer:
        """Try ``code``; a try that comes too soon is not looked at."""
        if self._stored is None:
            return Answer.WRONG
        now = self._clock.now()
        if self._last is not None and now.seconds_since(self._last) < _wait_s(self.tries):
            return Answer.TOO_SOON
        self.tries += 1
        self._on_try(self.tries)
        if is_code(code, self._stored):
            return Answer.RIGHT
        self._last = now
        return Answer.WRONG


def _wait_s(tries: int) -> float:
    doublings = min(tries - 1, 8)  # more than lead to the longest wait
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**doublings)

"""Asks a costly question no oftener than it is worth. Pure; used by one thread at a time."""

from collections.abc import Callable

from app.contract.times import Clock
from lockdown.environment.evidence import Evidence


class Paced:
    """Asks ``look`` at most every ``period_s`` seconds, or when ``is_due`` says so, and repeats its last answer."""

    def __init__(
        self,
        look: Callable[[], tuple[Evidence, ...]],
        clock: Clock,
        *,
        period_s: Callable[[], float],
        is_due: Callable[[], bool] = lambda: False,
    ) -> None:
        self._look = look
        self._clock = clock
        self._period_s = period_s
        self._is_due = is_due
        self._at_s: float | None = None
        self._answer: tuple[Evidence, ...] = ()

    def __call__(self) -> tuple[Evidence, ...]:
        """Return what there is."""
        now_s = self._clock.now().mono_ns / 1e9
        is_due = self._is_due()  # always asked: it empties the socket
        if self._at_s is None or is_due or now_s - self._at_s >= self._period_s():
            self._answer = self._look()
            self._at_s = now_s
        return self._answer

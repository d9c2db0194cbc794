"""Asks a costly question no oftener than it is worth. Pure; used by one thread at a time."""

from collections.abc import Callable

from app.contract.times import Clock
from lockdown.environment.evidence import Evidence


class EveryFewSeconds:
    """Asks ``look`` at most every ``period_s`` seconds and repeats its last answer in between."""

    def __init__(self, look: Callable[[], tuple[Evidence, ...]], clock: Clock, period_s: float) -> None:
        self._look = look
        self._clock = clock
        self._period_s = period_s
        self._at_s: float | None = None
        self._answer: tuple[Evidence, ...] = ()

    def __call__(self) -> tuple[Evidence, ...]:
        """Return what there is. Raises what ``look`` raises, and asks anew the next time."""
        now_s = self._clock.now().mono_ns / 1e9
        if self._at_s is None or now_s - self._at_s >= self._period_s:
            self._answer = self._look()
            self._at_s = now_s
        return self._answer

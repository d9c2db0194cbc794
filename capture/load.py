"""How hard a track's sealing thread has to work. Written by that thread, read by whoever decides about quality."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Shares from 0 to 1: how full a track's queue is, and how much of its time its sealing thread worked."""

    queued: float
    busy: float


class Meter:
    """A context manager around work; ``read`` says which share of the time since the last reading was work.

    Work still going on counts up to now, so that a picture that takes a minute shows before it is done.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._worked_s = 0.0
        self._began_s: float | None = None
        self._read_at_s, self._read_worked_s = now_s(), 0.0

    def __enter__(self) -> "Meter":
        self._began_s = self._now_s()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        began_s, self._began_s = self._began_s, None
        self._worked_s += self._now_s() - (began_s or 0.0)

    def read(self) -> float:
        """Return the share since the last call; 0 when no time has passed."""
        now_s, began_s = self._now_s(), self._began_s
        worked_s = self._worked_s + (now_s - began_s if began_s is not None else 0.0)
        passed_s, done_s = now_s - self._read_at_s, worked_s - self._read_worked_s
        self._read_at_s, self._read_worked_s = now_s, worked_s
        return min(1.0, max(0.0, done_s / passed_s)) if passed_s > 0 else 0.0

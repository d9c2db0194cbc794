"""Lets logins wait for their turn in the event loop, so that a flood of them takes no thread from the gate."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from server.refused import Refused

T = TypeVar("T")
AT_A_TIME = 2
"""Each hash takes 64 MiB; more at a time would only make all of them slower."""
WAITING = 20


class Turns:
    """A few at a time, each in a thread; some more may wait, all others are sent away. Used in the event loop only."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(AT_A_TIME)
        self._inside = 0

    async def take(self, function: Callable[..., T], *arguments: object) -> T:
        """Run ``function`` when its turn comes; raises ``Refused`` 429 when too many wait."""
        if self._inside >= AT_A_TIME + WAITING:
            raise Refused(429, "E-BUSY", "too many logins at a time", retry_after_s=5)
        self._inside += 1
        try:
            return await to_thread.run_sync(partial(function, *arguments), limiter=self._limiter)
        finally:
            self._inside -= 1

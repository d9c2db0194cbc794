"""Turns of the sessions that wait to be sent: one of which nothing is received lets the others go first, once.

Used in the thread ``leftovers``. Knows neither servers nor what is sent.
"""

from pathlib import Path

from app.contract.times import Clock

PATIENCE_S = 120.0
"""For so long a session keeps others waiting while nothing of it is received. A server that is started anew is back."""


class Turns:
    """Says when the session at hand has kept the others waiting for long enough; a session is told so once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: set[Path] = set()
        self._at_hand = Path()
        self._is_alone = True
        self._received, self._since_ns = 0, 0

    def begin(self, folder: Path, *, is_alone: bool) -> None:
        """Begin the turn of ``folder``'s session; ``is_alone`` where it keeps nobody waiting."""
        self._at_hand, self._is_alone = folder, is_alone
        self._received, self._since_ns = 0, self._clock.now().mono_ns

    def is_over(self, received: int) -> bool:
        """Whether the others go first now, given the bytes ``received`` of the session at hand."""
        now_ns = self._clock.now().mono_ns
        if received > self._received:
            self._received, self._since_ns = received, now_ns
        if self._is_alone or self._at_hand in self._told or now_ns - self._since_ns < PATIENCE_S * 1e9:
            return False
        self._told.add(self._at_hand)
        return True

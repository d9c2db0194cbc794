"""Turns of the sessions that wait to be sent: one of which nothing is received lets the others go first, once.

Used in the thread ``leftovers``. Knows neither servers nor what is sent.
"""

from pathlib import Path

from app.contract.times import Clock

PATIENCE_S = 120.0
"""For so long a session keeps others waiting while nothing of it is received. A server that is started anew is back."""
SLOWEST_BYTES_PER_S = 8 * 1024
UNDER_WAY_BYTES = 4 * 1024 * 1024
"""What two long segments have: only whole ones are received, which a link of 64 kbit/s is given time for as well."""


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

    def is_over(self, received: int, left: int = 0) -> bool:
        """Whether the others go first now, given the bytes ``received`` and ``left`` of the session at hand."""
        now_ns = self._clock.now().mono_ns
        if received > self._received:
            self._received, self._since_ns = received, now_ns
        patience_s = PATIENCE_S + min(left, UNDER_WAY_BYTES) / SLOWEST_BYTES_PER_S
        if self._is_alone or self._at_hand in self._told or now_ns - self._since_ns < patience_s * 1e9:
            return False
        self._told.add(self._at_hand)
        return True

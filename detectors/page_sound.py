"""When the exam's own page played sound: what is heard then may be the page's. Pure, no clock.

Told by whoever holds the page, asked about moments a little in the past. It knows that there was sound, not which.
"""

from collections import deque

from app.contract.times import Instant

LEAD_MS = 500
"""The browser notices a sound a little after it began,"""
TAIL_MS = 500
"""and the room hears it a little longer: wireless loudspeakers, echo."""
KEPT = 64
"""Changes that are remembered; sound waits for its detector for some seconds at most."""
REASON = "the exam page played sound"


class PageSound:
    """Remembers when the page began and ceased to be audible."""

    def __init__(self) -> None:
        self._changes: deque[tuple[Instant, bool]] = deque(maxlen=KEPT)

    def note(self, at: Instant, *, audible: bool) -> None:
        """The page is audible, or no longer, from ``at`` on."""
        self._changes.append((at, audible))

    def during(self, at: Instant) -> bool:
        """Say whether the page was audible at ``at``, as far as is known now."""
        for when, audible in reversed(self._changes):
            shift_ms = -LEAD_MS if audible else TAIL_MS
            if when.mono_ns + shift_ms * 1_000_000 <= at.mono_ns:
                return audible
        return False

"""When a control picture is taken: once in each stretch of the exam, at a moment drawn by lot. Pure, no clock.

Reviewers who see only pictures of incidents lose the measure for what is usual. The lot is drawn from a seed that
belongs to the session, so that anybody can check that the moments were not chosen.
"""

import random

EVERY_MS = 300_000
"""One picture in each stretch of five minutes."""


class ControlTimes:
    """Says when the next one is due; what could not be taken within its stretch is left out."""

    def __init__(self, seed: str, every_ms: int = EVERY_MS) -> None:
        self._seed, self._every_ms = seed, every_ms
        self._taken = -1

    def drawn_ms(self, stretch: int) -> int:
        """Return the moment drawn for a stretch, in ms on the session's timeline."""
        lot = random.Random(f"{self._seed}:{stretch}").random()  # noqa: S311  (fair and repeatable; nothing is secret)
        return round((stretch + lot) * self._every_ms)

    def due(self, at_ms: int) -> bool:
        """Say whether a picture is to be taken at ``at_ms``."""
        stretch = at_ms // self._every_ms
        return stretch > self._taken and at_ms >= self.drawn_ms(stretch)

    def took(self, at_ms: int) -> None:
        """One was taken at ``at_ms``."""
        self._taken = at_ms // self._every_ms

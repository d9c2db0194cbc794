"""Breaks that were agreed with the candidate: how much of them is left. Pure; by the monotonic clock."""

from app.contract.agreement import Agreement, Allowance
from app.contract.times import Clock, Instant

BREAK, BREAK_OVER = "break", "break_over"
"""Reasons of ``app.shell.pauses``: time stands still in the first; in the second it runs again, for none is left."""


class Breaks:
    """Counts down from what was granted, less ``spent_s`` of an earlier run, while a break lasts."""

    def __init__(self, clock: Clock, agreement: Agreement | None, *, spent_s: float = 0.0) -> None:
        granted = agreement is not None and Allowance.BREAKS in agreement.allowances
        self._granted_s = float(agreement.breaks_s) if agreement is not None and granted else 0.0
        self._left_s = max(0.0, self._granted_s - spent_s)
        self._clock = clock
        self._since: Instant | None = None
        self.are_granted = granted

    def begin(self) -> bool:
        """Start a break; ``False`` when one lasts already or nothing is left."""
        if self._since is not None or self._left_s <= 0:
            return False
        self._since = self._clock.now()
        return True

    def end(self) -> None:
        """The candidate is back, or nothing is left."""
        self._left_s, self._since = self.left_s(), None

    @property
    def lasts(self) -> bool:
        """Whether the candidate is on a break."""
        return self._since is not None

    def spent_s(self) -> float:
        """Return the seconds that are used up in all."""
        return self._granted_s - self.left_s()

    def left_s(self) -> float:
        """Return the seconds that are left in all."""
        used = self._clock.now().seconds_since(self._since) if self._since is not None else 0.0
        return max(0.0, self._left_s - used)

"""When the recording's quality steps down, and up again: from readings of queues, processor and disk. Pure.

Fed by one thread with readings about a second apart. The rule: strain that lasts ``AFTER_S`` costs one step, and
another one after ``NEXT_S`` if it stays; ease that lasts ``CALM_S`` gives one back. Between strain and ease lies a
band in which nothing changes, and a step that had to be taken back soon after it was given is given back later the
next time, so that the quality does not swing.
"""

from dataclasses import dataclass
from enum import StrEnum

AFTER_S = 3.0
NEXT_S = 10.0
CALM_S = 30.0
_LONGEST_CALM_S = 480.0
_TOO_SOON_S = 60.0

_QUEUE_STRAINED, _QUEUE_AT_EASE = 0.25, 0.05
_BUSY_STRAINED, _BUSY_AT_EASE = 0.8, 0.4
_SPOOL_STRAINED, _SPOOL_AT_EASE = 0.6, 0.4
_FREE_STRAINED, _FREE_AT_EASE = 1 << 30, 3 << 29


class Strain(StrEnum):
    """What is short, as the incident says it."""

    PROCESSOR = "the computer is too busy to encode in time"
    SPOOL = "much of the space for what is not sent yet is used"
    DISK = "the disk is nearly full"


EASED = "there is room again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How things stand at ``at_s`` (monotonic seconds).

    ``queued`` is the fullest queue's share in use, ``busy`` the largest share of its time that a track spent encoding
    and sealing, ``spooled`` the share of the quota that waits for the server, ``free_bytes`` what the disk has left.
    """

    at_s: float
    queued: float
    busy: float
    spooled: float
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A step that is to be taken, and why."""

    before: int
    after: int
    why: str


class Easing:
    """Decides; ``step`` is where it stands, from 0 (what the policy wants) to ``lowest``."""

    def __init__(self, lowest: int) -> None:
        self.step = 0
        self._lowest = lowest
        self._strained_since: float | None = None
        self._calm_since: float | None = None
        self._lowered_at = self._raised_at = float("-inf")
        self._calm_s = CALM_S

    def read(self, reading: Reading) -> Change | None:
        """Take a reading; return the step that follows from it, if one does."""
        strain = _strain(reading)
        if strain is not None:
            self._calm_since = None
            self._strained_since = reading.at_s if self._strained_since is None else self._strained_since
            return self._lower(reading.at_s, strain)
        self._strained_since = None
        if not _is_at_ease(reading):
            self._calm_since = None
            return None
        self._calm_since = reading.at_s if self._calm_since is None else self._calm_since
        return self._raise(reading.at_s)

    def _lower(self, at_s: float, strain: Strain) -> Change | None:
        lasts_s = at_s - (at_s if self._strained_since is None else self._strained_since)
        if self.step == self._lowest or lasts_s < AFTER_S or at_s - self._lowered_at < NEXT_S:
            return None
        if at_s - self._raised_at < _TOO_SOON_S:
            self._calm_s = min(2 * self._calm_s, _LONGEST_CALM_S)
        self._lowered_at = at_s
        return self._go(self.step + 1, strain)

    def _raise(self, at_s: float) -> Change | None:
        if self.step == 0 or self._calm_since is None or at_s - self._calm_since < self._calm_s:
            return None
        self._raised_at = self._calm_since = at_s
        return self._go(self.step - 1, EASED)

    def _go(self, step: int, why: str) -> Change:
        before, self.step = self.step, step
        return Change(before=before, after=step, why=str(why))


def _strain(reading: Reading) -> Strain | None:
    if reading.free_bytes < _FREE_STRAINED:
        return Strain.DISK
    if reading.spooled > _SPOOL_STRAINED:
        return Strain.SPOOL
    if reading.queued > _QUEUE_STRAINED or reading.busy > _BUSY_STRAINED:
        return Strain.PROCESSOR
    return None


def _is_at_ease(reading: Reading) -> bool:
    return (
        reading.queued <= _QUEUE_AT_EASE
        and reading.busy <= _BUSY_AT_EASE
        and reading.spooled <= _SPOOL_AT_EASE
        and reading.free_bytes >= _FREE_AT_EASE
    )

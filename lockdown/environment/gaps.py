"""Notices that time passed without us: the computer slept, Fairlock was stopped, or the clock was set. Pure.

Three clocks are compared between two looks: one that stands still while the computer sleeps, one that does not, and
the wall clock. All threads of a stopped process stand still (SIGSTOP), so a gap between two looks shows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding

STOPPED_S = 3.0
SLEPT_S = 1.0
JUMP_S = 2.0
_STOOD_STILL = "Fairlock stood still: it was stopped, or the computer was very busy"
_SLEPT_OR_STOOD = "the computer slept or was very busy, or Fairlock was stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The clocks at one moment. ``boot_ns`` goes on while the computer sleeps, ``at.mono_ns`` does not; ``None``
    where the system has no such pair."""

    at: Instant
    boot_ns: int | None


class GapWatch:
    """Compares each look with the one before; a gap of more than ``STOPPED_S`` seconds between them is a finding."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read
        self._before: Reading | None = None

    def observe(self) -> Sequence[Finding]:
        """Return what happened to the time since the last call."""
        before, now = self._before, self._read()
        self._before = now
        return findings(before, now) if before is not None else ()


def by_two_clocks(clock: Clock) -> GapWatch:
    """Return the watch where sleep has no clock of its own: what slept, and what was stopped or set, is not told apart.

    On Windows the monotonic clock goes on while the computer sleeps, on macOS it does not; either way one of the two
    clocks shows that time is missing.
    """
    return GapWatch(lambda: Reading(at=clock.now(), boot_ns=None))


def findings(before: Reading, now: Reading) -> Sequence[Finding]:
    """Return what happened between two looks: at most one gap and one jump."""
    awake_s = now.at.seconds_since(before.at)
    passed_s = awake_s
    if before.boot_ns is not None and now.boot_ns is not None:
        passed_s = (now.boot_ns - before.boot_ns) / 1e9
    slept_s = passed_s - awake_s
    jump_s = (now.at.utc_ms - before.at.utc_ms) / 1e3 - passed_s
    found = []
    if slept_s > SLEPT_S:
        found.append(_suspended("the computer slept", slept_s, before))
    elif awake_s > STOPPED_S:
        found.append(_suspended(_STOOD_STILL if now.boot_ns is not None else _SLEPT_OR_STOOD, awake_s, before))
    if abs(jump_s) > JUMP_S:
        what = "the clock was set" if now.boot_ns is not None else "the clock was set, or the computer slept"
        facts = {"what": what, "seconds": f"{jump_s:+.1f}"}
        found.append(Finding(kind=IncidentKind.CLOCK_JUMP, facts=facts))
    return found


def _suspended(what: str, seconds: float, before: Reading) -> Finding:
    return Finding(kind=IncidentKind.SUSPENDED, facts={"what": what, "seconds": f"{seconds:.1f}"}, since=before.at)

"""Reads what tells of rest: the clock that goes on while the computer sleeps, and the lid."""

import time
from collections.abc import Mapping, Sequence

from app.contract.incidents import IncidentKind
from app.contract.times import Clock
from lockdown.capabilities import Finding
from lockdown.environment.gaps import Reading
from lockdown.linux_system.roots import Roots, entries, text


def read_clocks(clock: Clock) -> Reading:
    """Return ``clock`` and CLOCK_BOOTTIME, which counts suspended time as CLOCK_MONOTONIC does not."""
    return Reading(at=clock.now(), boot_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME))


class LidWatch:
    """Reports that the lid is closed or opened. Quiet on a computer without one."""

    def __init__(self, roots: Roots | None = None) -> None:
        self._roots = roots or Roots()
        self._known: Mapping[str, str] | None = None

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each lid that moved since the last call."""
        lids = entries(self._roots.proc / "acpi/button/lid")
        now = {lid.name: text(lid / "state").rpartition(" ")[2] for lid in lids}
        before, self._known = self._known, now
        return [
            Finding(kind=IncidentKind.ENVIRONMENT, facts={"lid": state})
            for name, state in now.items()
            if before is not None and state and before.get(name) not in (None, state)
        ]

"""A capability that is required whole does not hold when a part of it is missing; otherwise the rest is an incident."""

from collections.abc import Collection
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.contract.policy import Capability
from app.guard.holding import Holding
from app.guard.programs import Closer
from lockdown.capabilities import Finding, HeldByShell, Part, Platform
from lockdown.fake import FakeDesktop, FakeMeasure, FakeTable
from lockdown.restore import RestoreFile

OPEN = "The console keys still work."


class Partly(FakeMeasure):
    """A measure that holds, but not in everything."""

    limit = OPEN


@pytest.mark.parametrize(
    "part", [HeldByShell(limit=OPEN), Partly(FakeDesktop(), "keys")], ids=["held by the shell", "a measure"]
)
@pytest.mark.parametrize("whole", [(), (Capability.INPUT_GUARD,)], ids=["in part", "whole"])
def test_a_part_that_leaves_something_open(tmp_path: Path, part: Part, whole: Collection[Capability]) -> None:
    told: list[Finding] = []

    def tell(finding: Finding, _capability: Capability) -> None:
        told.append(finding)

    parts: dict[Capability, Part] = {**dict.fromkeys(Capability, HeldByShell()), Capability.INPUT_GUARD: part}
    desktop = Platform(name="fake", tier="B", parts=parts)
    closer = Closer(FakeTable(), SystemClock(), tell, grace_s=0.1, ask_windows=lambda _program: False)
    holding = Holding(RestoreFile(tmp_path / "restore.json"), tell, lambda: False, desktop, closer, whole=whole)
    lacks = holding.take()
    assert lacks == ({Capability.INPUT_GUARD: OPEN} if whole else {})
    assert [finding.facts["reason"] for finding in told] == ([] if whole else [OPEN])

"""A capability that is required whole does not hold when a part of it is missing; otherwise the rest is an incident."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.contract import schema
from app.contract.policy import Capability, Lockdown
from app.external import run_external
from app.guard.duty import Duty
from app.guard.holding import Holding
from app.guard.programs import Closer
from app.messages import Examine, Examined
from lockdown import select
from lockdown.capabilities import Finding, HeldByShell, Part, Platform
from lockdown.fake import FakeDesktop, FakeMeasure, FakeTable
from lockdown.restore import RestoreFile
from tests.unit.shell_policies import POLICY

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


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_required_whole_is_known_to_the_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    partly = Partly(FakeDesktop(), "saver")
    held = {**dict.fromkeys(Capability, HeldByShell()), Capability.INPUT_GUARD: HeldByShell(limit=OPEN)}
    desktop = Platform(name="fake", tier="B", parts={**held, Capability.SLEEP_GUARD: partly})
    monkeypatch.setattr(select, "platform", lambda **_parts: desktop)
    sent: list[object] = []
    duty = Duty(
        RestoreFile(tmp_path / "restore.json"),
        table=FakeTable(),
        clock=SystemClock(),
        run=run_external,
        own_root=1,
        send=sent.append,
        cancelled=lambda: False,
    )
    lockdown = Lockdown(require=(Capability.KIOSK, Capability.INPUT_GUARD), require_whole=whole)
    duty.examine(Examine(policy=schema.dumps(replace(POLICY, lockdown=lockdown)).decode()))
    (examined,) = sent
    assert isinstance(examined, Examined)
    assert examined.limits == ({Capability.INPUT_GUARD: OPEN} if whole else {})

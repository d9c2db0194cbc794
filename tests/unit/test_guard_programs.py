"""Programs during the exam: told before they are closed, closed together, and never waited for by the watch."""

import pytest

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.guard.hashing import HashesLater
from app.guard.programs import CAPACITY, Closer, ExamPrograms
from app.guard.watching import WatchThread
from lockdown.births import Polling
from lockdown.capabilities import Finding
from lockdown.fake import FakeTable
from lockdown.rule_lists import builtin_rules
from lockdown.watch import ProcessScanner
from tests.xserver import wait_for

GRACE_S = 4.0


class Rig:
    """The watch and the closer over a table of memory; ``told`` is what the shell would hear, in order."""

    def __init__(self) -> None:
        self.table, self.clock = FakeTable(), ManualClock()
        self.told: list[Finding] = []
        self.closer = Closer(self.table, self.clock, self.tell, grace_s=GRACE_S, ask_windows=lambda _program: False)
        self.births = Polling()
        scanner = ProcessScanner(self.table, builtin_rules("linux"), self.clock, own_root=100)
        hashes = HashesLater(self.table)
        self.programs = ExamPrograms(scanner, self.table, self.births, hashes, self.tell, self.closer.offer)

    def tell(self, finding: Finding, capability: Capability) -> None:
        assert capability is Capability.PROCESS_WATCH
        self.told.append(finding)

    def kinds(self) -> list[IncidentKind]:
        return [finding.kind for finding in self.told]


def test_a_program_is_told_before_it_is_closed_with_its_hash() -> None:
    rig = Rig()
    rig.table.hashes["/opt/obs/obs"] = "ab" * 32
    rig.table.start("obs", pid=300)
    rig.closer.start()
    assert rig.programs.observe() == []
    wait_for(lambda: len(rig.told) == 2, "the report of closing")
    assert rig.kinds() == [IncidentKind.PROCESS_FOUND, IncidentKind.PROCESS_CLOSED]
    assert {finding.facts["sha256"] for finding in rig.told} == {"ab" * 32}
    rig.closer.stop()


def test_stubborn_programs_have_their_grace_together() -> None:
    rig = Rig()
    start = rig.clock.now()
    for pid, name in enumerate(("obs", "anydesk", "discord"), 300):
        rig.table.start(name, pid=pid)
        rig.table.stubborn.add(pid)
    rig.programs.observe()
    rig.closer.start()
    wait_for(lambda: rig.kinds().count(IncidentKind.PROCESS_CLOSED) == 3, "the reports of closing")
    assert [what for what, _ in rig.table.signals] == ["terminate"] * 3 + ["kill"] * 3
    assert GRACE_S <= rig.clock.now().seconds_since(start) < GRACE_S + 1
    rig.closer.stop()


def test_more_programs_than_there_is_room_for_are_closed_one_crowd_after_the_other() -> None:
    rig = Rig()
    for pid in range(300, 300 + 2 * CAPACITY + 1):
        rig.table.start("obs", pid=pid)
    assert rig.programs.observe() == []
    rig.closer.start()

    def looked_until_all_are_closed() -> bool:
        rig.programs.observe()
        return rig.kinds().count(IncidentKind.PROCESS_CLOSED) == 2 * CAPACITY + 1

    wait_for(looked_until_all_are_closed, "the reports of closing")
    assert rig.kinds().count(IncidentKind.PROCESS_FOUND) == 2 * CAPACITY + 1
    rig.closer.stop()


def test_what_can_not_even_wait_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.guard.programs.WAITING", 2)
    rig = Rig()
    for pid in range(300, 304):
        rig.table.start("obs", pid=pid)
    left = rig.programs.observe()
    assert [finding.kind for finding in left] == [IncidentKind.PROCESS_NOT_CLOSED] * 2
    assert rig.kinds() == [IncidentKind.PROCESS_FOUND] * 4


def test_the_thread_looks_as_soon_as_something_started_and_closes_what_it_waited_on() -> None:
    rig = Rig()
    closed: list[str] = []
    rig.births.close = lambda: closed.append("births")  # type: ignore[method-assign]
    thread = WatchThread(rig.programs, Capability.PROCESS_WATCH, rig.tell, period_s=600)
    thread.start()
    rig.table.start("obs", pid=300)
    assert rig.told == []
    rig.births.interrupt()  # as news of a program would
    wait_for(lambda: rig.told, "the report")
    thread.stop()
    thread.join()
    assert closed == ["births"]

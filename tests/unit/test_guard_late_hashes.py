"""Hashes that take long to read: no program waits for them to be closed, and they are those of what ran."""

import threading
from collections.abc import Callable, Iterator

import pytest

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.guard import disk_reader
from app.guard.hashing import HashesLater
from app.guard.programs import SMALL, Closer, ExamPrograms
from lockdown.births import Polling
from lockdown.capabilities import Finding
from lockdown.fake import FakeExecutable, FakeTable
from lockdown.processes import Program
from lockdown.rule_lists import builtin_rules
from lockdown.watch import ProcessScanner
from tests.xserver import DEADLINE_S, wait_for

FOUND, CLOSED, NOT_CLOSED = (
    IncidentKind.PROCESS_FOUND,
    IncidentKind.PROCESS_CLOSED,
    IncidentKind.PROCESS_NOT_CLOSED,
)


class _SlowExecutable(FakeExecutable):
    """Takes until ``gate`` opens to be read, if it is long."""

    gate: threading.Event
    is_read: threading.Event

    def sha256(self, cancelled: Callable[[], bool] = lambda: False) -> str | None:
        if self.cost > SMALL:
            self.is_read.set()
            wait_for(lambda: self.gate.is_set() or cancelled(), "the disk")
        return super().sha256(cancelled)


class _SlowDisk(FakeTable):
    def __init__(self) -> None:
        super().__init__()
        self.gate, self.is_read = threading.Event(), threading.Event()
        self.held: list[_SlowExecutable] = []

    def hold(self, program: Program) -> _SlowExecutable:
        held = _SlowExecutable(self.hashes.get(program.path), self.sizes.get(program.path, 0))
        held.gate, held.is_read = self.gate, self.is_read
        self.held.append(held)
        return held


class Rig:
    """The watch and the closer over a slow disk; ``told`` is what the shell would hear, in order."""

    def __init__(self) -> None:
        self.table, self.clock = _SlowDisk(), ManualClock()
        self.told: list[Finding] = []
        self.closer = Closer(self.table, self.clock, self._tell, grace_s=1.0, ask_windows=lambda _program: False)
        scanner = ProcessScanner(self.table, builtin_rules("linux"), self.clock, own_root=100)
        hashes = HashesLater(self.table)
        self.programs = ExamPrograms(scanner, self.table, Polling(), hashes, self._tell, self.closer.offer)

    def start(self, name: str, pid: int, size: int) -> None:
        path = f"/opt/{pid}/{name}"
        self.table.hashes[path], self.table.sizes[path] = f"hash of {pid}", size
        self.table.start(name, pid=pid, path=path)

    def hashes(self, kind: IncidentKind) -> dict[str, str]:
        return {each.facts["pid"]: each.facts.get("sha256", "") for each in self.told if each.kind is kind}

    def _tell(self, finding: Finding, _capability: Capability) -> None:
        self.told.append(finding)


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.table.gate.set()
    made.closer.stop()
    assert all(held.is_closed for held in made.table.held)


def test_no_program_waits_for_the_hash_of_a_long_one(rig: Rig) -> None:
    rig.start("anydesk", 300, 1 << 30)
    rig.start("obs", 301, 1_000)
    rig.closer.start()
    assert rig.programs.observe() == []
    wait_for(lambda: not rig.table.programs, "the end of both")
    wait_for(lambda: rig.hashes(CLOSED) == {"301": "hash of 301"}, "the report of the short one")
    assert rig.hashes(FOUND) == {"300": "", "301": "hash of 301"}
    rig.start("discord", 302, 1 << 30)
    rig.programs.observe()
    wait_for(lambda: not rig.table.programs, "the end of the third one")
    rig.table.gate.set()
    whole = {str(pid): f"hash of {pid}" for pid in (300, 301, 302)}
    wait_for(lambda: rig.hashes(CLOSED) == whole, "the reports of all")


def test_what_is_told_late_says_when_it_was(rig: Rig) -> None:
    rig.start("anydesk", 300, 1 << 30)
    rig.closer.start()
    at = rig.clock.now()
    rig.programs.observe()
    assert rig.table.is_read.wait(DEADLINE_S)
    rig.clock.advance(60)
    rig.table.gate.set()
    wait_for(lambda: rig.hashes(CLOSED), "the report")
    seen = rig.told[-1].seen
    assert seen is not None
    assert seen.seconds_since(at) < 60


def test_a_look_reads_no_more_than_is_short(rig: Rig) -> None:
    for pid in range(300, 303):
        rig.start("obs", pid, SMALL // 2)
    rig.programs.observe()
    assert sum(bool(digest) for digest in rig.hashes(FOUND).values()) == 2
    rig.closer.start()
    wait_for(lambda: len(rig.hashes(CLOSED)) == 3, "the reports of closing")
    assert all(rig.hashes(CLOSED).values())


def test_what_could_not_be_closed_is_told_at_once(rig: Rig) -> None:
    rig.start("anydesk", 300, 1 << 30)
    rig.table.immortal.add(300)
    rig.programs.observe()
    rig.closer.start()
    wait_for(lambda: rig.hashes(NOT_CLOSED), "the report")
    assert rig.hashes(NOT_CLOSED) == {"300": ""}


def test_at_the_end_nothing_waits_for_a_hash_and_nothing_stays_untold(rig: Rig) -> None:
    for pid in (300, 301):
        rig.start("anydesk", pid, 1 << 30)
    rig.programs.observe()
    rig.closer.start()
    assert rig.table.is_read.wait(DEADLINE_S)
    rig.closer.stop()
    assert rig.hashes(CLOSED) == {"300": "", "301": ""}


def test_what_a_disk_that_stands_still_has_kept_is_told_at_the_end_and_only_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_reader, "JOIN_S", 0.01)

    def stand_still(held: _SlowExecutable, _cancelled: object) -> str:
        held.is_read.set()
        assert held.gate.wait(DEADLINE_S)
        return "late"

    monkeypatch.setattr(_SlowExecutable, "sha256", stand_still)
    for pid in (300, 301, 302):
        rig.start("anydesk", pid, 1 << 30)
    rig.programs.observe()
    rig.closer.start()
    assert rig.table.is_read.wait(DEADLINE_S)
    wait_for(lambda: not rig.table.programs, "the end of all")
    rig.closer.stop()
    closed = [finding.facts for finding in rig.told if finding.kind is CLOSED]
    assert sorted(facts["pid"] for facts in closed) == ["300", "301", "302"]
    assert not any("sha256" in facts for facts in closed)
    rig.table.gate.set()
    wait_for(lambda: all(held.is_closed for held in rig.table.held), "the disk")
    assert len([finding for finding in rig.told if finding.kind is CLOSED]) == 3


@pytest.mark.parametrize("size", [1_000, 1 << 30])
def test_whatever_reading_raises_everything_is_closed_and_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no such answer was expected")

    monkeypatch.setattr(_SlowExecutable, "sha256", fail)
    for pid in (300, 301):
        rig.start("anydesk", pid, size)
    assert rig.programs.observe() == []
    assert rig.programs.observe() == []
    rig.closer.start()
    wait_for(lambda: rig.hashes(CLOSED) == {"300": "", "301": ""}, "the reports of both")
    assert rig.hashes(FOUND) == {"300": "", "301": ""}

"""A crowd of findings: told a few at a time, none of it lost, and the one that matters is among them."""

import pytest

from app.clock import ManualClock
from app.contract.incidents import IncidentKind, Severity
from app.contract.policy import Capability
from app.guard import crowds
from app.guard.crowds import LAST, MOST, NAMES, WINDOW_S, Crowds
from lockdown.capabilities import Finding

FOUND, CLOSED, UNKNOWN = IncidentKind.PROCESS_FOUND, IncidentKind.PROCESS_CLOSED, IncidentKind.PROCESS_UNKNOWN
MISSING = IncidentKind.CAPABILITY_MISSING
WATCH = Capability.PROCESS_WATCH


class Rig:
    """Crowds on a clock of its own; ``told`` is what the shell would hear."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.told: list[Finding] = []
        self.crowds = Crowds(lambda finding, _capability: self.told.append(finding), self.clock)

    def see(self, number: int, kind: IncidentKind = FOUND, *, first: int = 0) -> None:
        for one in range(first, first + number):
            self.see_one(f"program {one:04}", one, kind)

    def see_one(self, name: str, pid: int, kind: IncidentKind = FOUND, severity: Severity | None = None) -> None:
        self.crowds.tell(Finding(kind=kind, facts={"name": name, "pid": str(pid)}, severity=severity), WATCH)

    def lose(self, capability: Capability, reason: str) -> None:
        self.crowds.tell(Finding(kind=MISSING, facts={"capability": capability, "reason": reason}), capability)

    def next_window(self) -> int:
        """Return how many are told when the next one begins."""
        before = len(self.told)
        self.clock.advance(WINDOW_S)
        self.crowds.flush()
        return len(self.told) - before

    def further(self) -> list[int]:
        return [int(finding.facts["further"]) for finding in self.told if "further" in finding.facts]

    def names(self) -> list[str]:
        return [finding.facts.get("name", "") for finding in self.told]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_few_findings_are_told_as_they_are(rig: Rig) -> None:
    rig.see(MOST)
    rig.see(MOST, CLOSED)
    assert [finding.kind for finding in rig.told] == [FOUND] * MOST + [CLOSED] * MOST
    rig.crowds.flush(everything=True)
    assert (len(rig.told), rig.further()) == (2 * MOST, [])


def test_the_one_behind_a_crowd_is_told_whole_some_windows_later(rig: Rig) -> None:
    rig.see(2 * MOST + 10, UNKNOWN)
    at = rig.clock.now()
    rig.see_one("answer-bot", 4_000, UNKNOWN, Severity.ALERT)
    rig.crowds.flush()
    assert len(rig.told) == MOST
    assert [rig.next_window() for _ in range(4)] == [MOST, 11, 0, 0]
    last = rig.told[-1]
    assert (last.facts, last.severity) == ({"name": "answer-bot", "pid": "4000"}, Severity.ALERT)
    assert (last.since, last.seen) == (None, at), "it says when it was seen"
    assert rig.further() == []


def test_what_comes_later_does_not_overtake_what_waits(rig: Rig) -> None:
    rig.see(MOST + 7)
    rig.next_window()
    rig.see(MOST, first=500)
    while rig.next_window():
        pass
    assert rig.names() == sorted(rig.names())
    assert len(rig.told) == 2 * MOST + 7


def test_a_crowd_of_one_program_is_one_finding_with_a_number(rig: Rig) -> None:
    rig.see(MOST, UNKNOWN)
    began = rig.clock.now()
    for pid in range(700):
        rig.see_one("decoy", pid, UNKNOWN, Severity.NOTICE if pid == 300 else None)
        rig.clock.advance(0.001)
    rig.see_one("answer-bot", 4_000, UNKNOWN)
    assert rig.next_window() == 2
    decoys, bot = rig.told[-2:]
    assert decoys.facts == {"name": "decoy", "further": "700"}
    assert (decoys.since, decoys.severity) == (began, Severity.NOTICE)
    assert decoys.seen is not None
    assert decoys.seen.seconds_since(began) == pytest.approx(0.699)
    assert bot.facts["name"] == "answer-bot"


def test_what_there_is_no_room_for_is_told_as_a_number_as_early_and_as_grave_as_any(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowds, "HELD", 5)
    rig.see(MOST + 5)
    began = rig.clock.now()
    rig.see_one("bad", 4_000)
    rig.clock.advance(1)
    for pid in range(NAMES + 5):
        rig.see_one(f"program 9{pid:03}", pid, severity=Severity.INFO)
    assert rig.next_window() == 6
    rest = rig.told[-1]
    assert rest.facts["further"] == str(NAMES + 6)
    assert len(rest.facts["names"].split(", ")) == NAMES
    assert "bad" in rest.facts["names"]
    assert (rest.since, rest.severity) == (began, None), "the kind's own is graver"
    assert rig.next_window() == 0


def test_the_loss_of_one_protection_is_not_hidden_by_that_of_another(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "HELD", 5)
    for one in range(MOST + 9):
        rig.lose(Capability.CLIPBOARD_GUARD, f"put back {one}")
    rig.lose(WATCH, "It has not answered for 30 seconds.")
    assert rig.told[-1].facts == {"capability": WATCH, "reason": "It has not answered for 30 seconds."}
    rig.next_window()
    assert rig.told[-1].facts == {"capability": Capability.CLIPBOARD_GUARD, "further": "4"}


def test_nothing_stays_untold_at_the_end(rig: Rig) -> None:
    rig.see(MOST + 1)
    rig.see(MOST + LAST, CLOSED)
    rig.crowds.flush(everything=True)
    assert len(rig.told) == 2 * MOST + LAST + 1
    assert rig.further() == []
    rig.crowds.flush(everything=True)
    assert len(rig.told) == 2 * MOST + LAST + 1


def test_a_thousand_at_the_end_are_told_as_some_and_a_number(rig: Rig) -> None:
    rig.see(1_000)
    rig.crowds.flush(everything=True)
    assert len(rig.told) == MOST + LAST + 1
    assert rig.further() == [1_000 - MOST - LAST]

"""A crowd of findings: the first ones are told one by one, the rest as a number, and none of it is lost."""

from app.clock import ManualClock
from app.contract.incidents import IncidentKind, Severity
from app.contract.policy import Capability
from app.guard.crowds import MOST, NAMES, WINDOW_S, Crowds
from lockdown.capabilities import Finding

FOUND, CLOSED = IncidentKind.PROCESS_FOUND, IncidentKind.PROCESS_CLOSED
WATCH = Capability.PROCESS_WATCH


class Rig:
    """Crowds on a clock of its own; ``told`` is what the shell would hear."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.told: list[Finding] = []
        self.crowds = Crowds(lambda finding, _capability: self.told.append(finding), self.clock)

    def see(self, number: int, kind: IncidentKind = FOUND) -> None:
        for one in range(number):
            facts = {"name": f"program {one:04}", "path": "/a"}
            self.crowds.tell(Finding(kind=kind, facts=facts, severity=Severity.ALERT), WATCH)

    def further(self) -> list[int]:
        return [int(finding.facts["further"]) for finding in self.told if "further" in finding.facts]


def test_few_findings_are_told_as_they_are() -> None:
    rig = Rig()
    rig.see(MOST)
    rig.see(MOST, CLOSED)
    assert [finding.kind for finding in rig.told] == [FOUND] * MOST + [CLOSED] * MOST
    rig.crowds.flush(everything=True)
    assert rig.further() == []


def test_the_rest_of_a_crowd_is_told_as_one_when_its_time_is_over() -> None:
    rig = Rig()
    rig.see(1_000)
    assert len(rig.told) == MOST
    rig.crowds.flush()
    assert len(rig.told) == MOST
    rig.clock.advance(WINDOW_S)
    rig.crowds.flush()
    last = rig.told[-1]
    assert (len(rig.told), last.kind, last.severity) == (MOST + 1, FOUND, Severity.ALERT)
    assert last.facts["further"] == str(1_000 - MOST)
    assert len(last.facts["names"].split(", ")) == NAMES
    rig.crowds.flush()
    assert len(rig.told) == MOST + 1


def test_a_crowd_that_goes_on_is_told_again_window_by_window() -> None:
    rig = Rig()
    for _ in range(3):
        rig.see(MOST + 7)
        rig.clock.advance(WINDOW_S)
    rig.crowds.flush()
    assert len(rig.told) == 3 * (MOST + 1)
    assert rig.further() == [7, 7, 7]


def test_nothing_stays_untold_at_the_end() -> None:
    rig = Rig()
    rig.see(MOST + 1)
    rig.see(MOST + 2, CLOSED)
    rig.crowds.flush(everything=True)
    assert rig.further() == [1, 2]

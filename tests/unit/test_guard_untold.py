"""What can't be told stops nothing: the watch goes on, the program is closed, the others are told, and that is said."""

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.guard.hashing import HashesLater
from app.guard.programs import Closer, ExamPrograms
from app.guard.watching import WatchThread
from lockdown.births import Polling
from lockdown.capabilities import Finding
from lockdown.fake import FakeTable, FakeWatch
from lockdown.rule_lists import builtin_rules
from lockdown.watch import ProcessScanner
from tests.xserver import wait_for

UNTOLD = "anydesk"


class Ears:
    """What the shell would hear. Telling it of ``UNTOLD`` fails, of whatever kind the incident is."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.told: list[Finding] = []
        self._deaf = deaf

    def tell(self, finding: Finding, capability: Capability) -> None:
        assert capability is Capability.PROCESS_WATCH
        if self._deaf or finding.facts.get("name") == UNTOLD:
            raise UnicodeEncodeError("utf-8", UNTOLD, 0, 1, "surrogates not allowed")
        self.told.append(finding)

    def names(self, kind: IncidentKind) -> list[str]:
        return [finding.facts["name"] for finding in self.told if finding.kind is kind]

    def laments(self) -> list[str]:
        return [finding.facts["reason"] for finding in self.told if finding.kind is IncidentKind.CAPABILITY_MISSING]


def _found(name: str) -> Finding:
    return Finding(kind=IncidentKind.WINDOW_OVER_EXAM, facts={"name": name})


def _ask(ears: Ears, watch: FakeWatch) -> WatchThread:
    return WatchThread(watch, Capability.PROCESS_WATCH, ears.tell, period_s=0.001)


def test_a_watch_whose_finding_cannot_be_told_goes_on_and_says_so() -> None:
    ears = Ears()
    thread = _ask(ears, FakeWatch([_found("one"), _found(UNTOLD), _found("two")], [_found("three")]))
    thread.start()
    wait_for(lambda: len(ears.told) >= 4, "what was seen after it")
    thread.stop()
    thread.join()
    assert ears.names(IncidentKind.WINDOW_OVER_EXAM) == ["one", "two", "three"]
    assert ears.laments() == ["Something that it saw (window_over_exam) could not be told (UnicodeEncodeError)."]


def test_a_watch_that_can_tell_nothing_at_all_looks_on() -> None:
    looks = 0

    class Counting(FakeWatch):
        def observe(self) -> list[Finding]:
            nonlocal looks
            looks += 1
            return [_found(UNTOLD)]

    thread = _ask(Ears(deaf=True), Counting())
    thread.start()
    wait_for(lambda: looks >= 3, "another look")
    thread.stop()
    thread.join()


def test_a_program_that_cannot_be_told_is_closed_and_hides_no_other() -> None:
    ears, table, clock = Ears(), FakeTable(), ManualClock()
    closer = Closer(table, clock, ears.tell, grace_s=1.0, ask_windows=lambda _program: False)
    scanner = ProcessScanner(table, builtin_rules("linux"), clock, own_root=100)
    programs = ExamPrograms(scanner, table, Polling(), HashesLater(table), ears.tell, closer.offer)
    for pid, name in enumerate(("obs", UNTOLD, "discord"), 300):
        table.start(name, pid=pid)
    assert programs.observe() == []
    assert sorted(ears.names(IncidentKind.PROCESS_FOUND)) == ["discord", "obs"]
    closer.start()
    wait_for(lambda: not table.programs, "the end of all three")
    wait_for(lambda: len(ears.names(IncidentKind.PROCESS_CLOSED)) == 2, "the reports of closing")
    table.start("krdc", pid=400)  # the threads are still there for what comes later
    assert programs.observe() == []
    wait_for(lambda: "krdc" in ears.names(IncidentKind.PROCESS_CLOSED), "the report of closing what came later")
    closer.stop()
    assert ["process_found" in reason or "process_closed" in reason for reason in ears.laments()] == [True, True]

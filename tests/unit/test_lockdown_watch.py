"""The scanner: finds what starts, what changes its name, and looks at little in between."""

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from lockdown.births import Births, Polling
from lockdown.fake import FakeTable
from lockdown.processes import Identity
from lockdown.rule_lists import builtin_rules
from lockdown.watch import FORGET_S, FULL_SCAN_S, FULL_SCAN_TOLD_S, POLL_S, SECOND_LOOK_S, ProcessScanner

OWN_ROOT = 100


def _scanner(births: Births | None = None) -> tuple[ProcessScanner, FakeTable, ManualClock]:
    table, clock = FakeTable(), ManualClock()
    table.start("shell", pid=OWN_ROOT)
    for pid in range(200, 260):
        table.start(f"innocent-{pid}", pid=pid)
    return ProcessScanner(table, builtin_rules("linux"), clock, own_root=OWN_ROOT, births=births), table, clock


def test_what_runs_at_the_start_is_found_once() -> None:
    scanner, table, clock = _scanner()
    table.start("anydesk", pid=300)
    (finding,) = scanner.observe()
    assert finding.kind is IncidentKind.PROCESS_FOUND
    assert finding.facts == {
        "name": "anydesk",
        "path": "/opt/anydesk/anydesk",
        "pid": "300",
        "rule": "remote-desktop",
        "by": "name",
    }
    clock.advance(FULL_SCAN_S)
    assert scanner.observe() == []
    assert [m.program.pid for m in scanner.find_all()] == [300]


def test_a_program_that_starts_later_is_found_at_the_next_poll() -> None:
    scanner, table, clock = _scanner()
    scanner.observe()
    clock.advance(POLL_S)
    table.start("obs", pid=301)
    assert [m.program.name for m in scanner.find_new()] == ["obs"]


def test_between_full_scans_only_young_processes_are_looked_at() -> None:
    scanner, table, clock = _scanner()
    scanner.observe()
    clock.advance(SECOND_LOOK_S)
    scanner.observe()
    table.looks = 0
    clock.advance(POLL_S)
    table.start("editor", pid=302)
    scanner.observe()
    assert table.looks == 1


def test_a_process_that_was_still_a_fork_of_its_parent_is_looked_at_again() -> None:
    scanner, table, clock = _scanner()
    scanner.observe()
    clock.advance(POLL_S)
    table.start("bash", pid=303)
    assert scanner.observe() == []
    table.start("anydesk", pid=303)
    clock.advance(POLL_S)
    assert len(scanner.observe()) == 1


def test_a_change_of_program_much_later_is_found_by_the_full_scan() -> None:
    scanner, table, clock = _scanner()
    scanner.observe()
    clock.advance(SECOND_LOOK_S + POLL_S)
    assert scanner.observe() == []
    table.start("anydesk", pid=210)
    assert scanner.observe() == []
    clock.advance(FULL_SCAN_S)
    assert [m.program.pid for m in scanner.find_new()] == [210]


class Told(Polling):
    """The system tells of everything; ``news`` is what it tells next."""

    news: frozenset[int] = frozenset()

    @property
    def tells_all(self) -> bool:
        return True

    def since(self) -> frozenset[int]:
        news, self.news = self.news, frozenset()
        return news


def test_what_the_system_tells_is_looked_at_and_nothing_else() -> None:
    births = Told()
    scanner, table, clock = _scanner(births)
    scanner.observe()
    clock.advance(FULL_SCAN_S)
    table.looks = 0
    table.start("obs", pid=301)
    assert scanner.find_new() == []
    assert table.looks == 0
    births.news = frozenset({301})
    assert [m.program.pid for m in scanner.find_new()] == [301]


def test_a_change_of_program_that_the_system_tells_is_found_at_once() -> None:
    births = Told()
    scanner, table, clock = _scanner(births)
    scanner.observe()
    clock.advance(SECOND_LOOK_S + POLL_S)
    table.start("anydesk", pid=210)
    births.news = frozenset({210})
    assert [m.program.pid for m in scanner.find_new()] == [210]


def test_what_the_system_forgot_to_tell_is_found_by_the_full_scan() -> None:
    scanner, table, clock = _scanner(Told())
    scanner.observe()
    table.start("obs", pid=301)
    clock.advance(FULL_SCAN_TOLD_S)
    assert [m.program.pid for m in scanner.find_new()] == [301]


def test_other_users_programs_are_looked_at_now_and_then_only() -> None:
    scanner, table, clock = _scanner()
    for pid in range(200, 260):
        table.start("daemon", pid=pid, user="0")
    scanner.observe()
    clock.advance(FULL_SCAN_S)
    scanner.observe()
    clock.advance(FULL_SCAN_S)
    table.looks = 0
    scanner.observe()
    assert table.looks < 10
    table.start("anydesk", pid=210)  # it took the user's rights
    clock.advance(FORGET_S)
    assert [m.program.pid for m in scanner.find_new()] == [210]


def test_an_innocent_program_is_judged_anew_when_it_changed_and_now_and_then() -> None:
    scanner, table, clock = _scanner()
    scanner.observe()
    table.identities["/opt/innocent-200/innocent-200"] = Identity(original_name="com.anydesk.Anydesk")
    clock.advance(FULL_SCAN_S)
    assert scanner.find_new() == [], "the same program at the same place"
    clock.advance(FORGET_S)
    assert [m.program.pid for m in scanner.find_new()] == [200]


def test_a_reused_process_id_is_reported_again() -> None:
    scanner, table, clock = _scanner()
    table.start("anydesk", pid=304)
    assert len(scanner.observe()) == 1
    table.reuse(304, "anydesk")
    clock.advance(FULL_SCAN_S)
    assert len(scanner.observe()) == 1


def test_the_terminal_that_fairlock_was_started_in_is_left_because_the_exam_would_end_with_it() -> None:
    scanner, table, _clock = _scanner()
    table.start("konsole", pid=50)
    table.start("bash", pid=51, parent=50)
    table.start("shell", pid=OWN_ROOT, parent=51)
    table.start("konsole", pid=52)
    assert [m.program.pid for m in scanner.find_all()] == [52]


def test_our_own_children_are_never_found_but_the_browser_that_opened_the_link_is() -> None:
    scanner, table, _clock = _scanner()
    table.start("chromium", pid=50)
    table.start("shell", pid=OWN_ROOT, parent=50)
    table.start("chrome", pid=305, parent=OWN_ROOT)
    table.start("chrome", pid=306, parent=305)
    table.start("chrome", pid=307, parent=50)
    assert sorted(m.program.pid for m in scanner.find_all()) == [50, 307]

"""Closing programs: ask, terminate, wait, kill; and never a stranger who got the same process id."""

from app.clock import ManualClock
from lockdown.closing import AFTER_KILL_S, close
from lockdown.fake import FakeTable
from lockdown.processes import Program
from lockdown.rules import Match

GRACE_S = 4.0


def _match(program: Program) -> Match:
    return Match(program=program, rule="remote-desktop", by="name")


def test_a_polite_program_ends_by_the_polite_signal() -> None:
    table, clock = FakeTable(), ManualClock()
    start = clock.now()
    found = _match(table.start("anydesk", pid=300))
    done = close([found], table, clock, grace_s=GRACE_S)
    assert (done.closed, done.left) == ((found,), ())
    assert table.signals == [("terminate", 300)]
    assert clock.now() == start


def test_a_stubborn_program_has_its_grace_and_is_killed() -> None:
    table, clock = FakeTable(), ManualClock()
    start = clock.now()
    found = _match(table.start("anydesk", pid=300))
    table.stubborn.add(300)
    done = close([found], table, clock, grace_s=GRACE_S)
    assert done.closed == (found,)
    assert table.signals == [("terminate", 300), ("kill", 300)]
    assert GRACE_S <= clock.now().seconds_since(start) < GRACE_S + AFTER_KILL_S


def test_what_does_not_end_is_said() -> None:
    table, clock = FakeTable(), ManualClock()
    gone, stays = (_match(table.start(name, pid=pid)) for name, pid in (("obs", 300), ("anydesk", 301)))
    table.immortal.add(301)
    done = close([gone, stays], table, clock, grace_s=GRACE_S)
    assert (done.closed, done.left) == ((gone,), (stays,))


def test_a_program_with_windows_may_save_before_the_signal() -> None:
    table, clock = FakeTable(), ManualClock()
    start = clock.now()
    found = _match(table.start("editor", pid=300))
    done = close([found], table, clock, grace_s=GRACE_S, ask_windows=lambda _program: True)
    assert done.closed == (found,)
    assert table.signals == [("terminate", 300)]
    assert clock.now().seconds_since(start) >= GRACE_S / 2


def test_a_program_that_closes_its_windows_gets_no_signal() -> None:
    table, clock = FakeTable(), ManualClock()
    found = _match(table.start("editor", pid=300))
    done = close([found], table, clock, grace_s=GRACE_S, ask_windows=lambda p: table.programs.pop(p.pid) is not None)
    assert done.closed == (found,)
    assert table.signals == []


def test_a_reused_process_id_is_not_signalled() -> None:
    table, clock = FakeTable(), ManualClock()
    found = _match(table.start("anydesk", pid=300))
    table.reuse(300, "thesis-editor")
    done = close([found], table, clock, grace_s=GRACE_S)
    assert done.closed == (found,)
    assert table.signals == []
    assert table.programs[300].name == "thesis-editor"


def test_when_nobody_waits_any_more_nothing_more_is_killed() -> None:
    table, clock = FakeTable(), ManualClock()
    found = _match(table.start("anydesk", pid=300))
    table.stubborn.add(300)
    done = close([found], table, clock, grace_s=GRACE_S, cancelled=lambda: True)
    assert done.left == (found,)
    assert table.signals == [("terminate", 300)]

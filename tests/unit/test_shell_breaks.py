"""Breaks that were agreed: time stands still for as long as was granted in all, and not a second longer."""

from dataclasses import replace

import pytest

from app.clock import ManualClock
from app.contract.agreement import AGREEMENT_VERSION, Agreement, Allowance
from app.contract.session import Event
from app.shell.breaks import BREAK, BREAK_OVER, Breaks
from app.shell.pauses import EVENTS, ORDER, Pauses

GRANTED = Agreement(
    version=AGREEMENT_VERSION,
    exam="e",
    candidate="c",
    allowances=(Allowance.BREAKS,),
    breaks_s=300,
    issued_ms=1,
    expires_ms=2,
)


def test_what_was_granted_is_used_up_over_several_breaks() -> None:
    clock = ManualClock()
    breaks = Breaks(clock, GRANTED)
    assert breaks.begin()
    clock.sleep(100)
    assert breaks.left_s() == pytest.approx(200)
    assert not breaks.begin(), "one at a time"
    breaks.end()
    clock.sleep(1_000)
    assert breaks.left_s() == pytest.approx(200)
    assert breaks.begin()
    clock.sleep(250)
    assert breaks.left_s() == 0
    breaks.end()
    assert not breaks.begin(), "nothing is left"


def test_what_was_used_before_a_restart_is_not_granted_anew() -> None:
    clock = ManualClock()
    breaks = Breaks(clock, GRANTED, spent_s=250)
    assert breaks.begin()
    clock.sleep(20)
    assert breaks.lasts
    assert breaks.left_s() == pytest.approx(30)
    assert breaks.spent_s() == pytest.approx(270)
    assert not Breaks(clock, GRANTED, spent_s=9_000).begin()


@pytest.mark.parametrize("agreement", [None, replace(GRANTED, allowances=(Allowance.SCREEN_READER,))])
def test_without_the_allowance_there_are_none(agreement: Agreement | None) -> None:
    breaks = Breaks(ManualClock(), agreement)
    assert not breaks.are_granted
    assert not breaks.begin()


def test_time_stands_still_in_a_break_and_runs_when_none_is_left() -> None:
    during, pauses = Pauses(), Pauses()
    during.add(BREAK)
    assert during.stops_time
    pauses.add(BREAK)
    pauses.add(BREAK_OVER)
    pauses.remove(BREAK)
    assert not pauses.stops_time
    assert pauses.first == (BREAK_OVER, "")
    assert pauses.why == BREAK_OVER


def test_who_is_on_a_break_stays_on_it_whatever_else_covers_the_exam() -> None:
    pauses = Pauses()
    pauses.add(BREAK)
    pauses.add("frozen")
    assert pauses.first == ("frozen", "")
    assert pauses.why == BREAK


def test_every_reason_has_its_event() -> None:
    assert set(ORDER) == set(EVENTS)
    assert EVENTS[BREAK] is Event.PAUSE

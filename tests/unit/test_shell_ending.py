"""The last screen says what was changed and that it is undone, and is honest when nobody knows."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract.policy import Capability
from app.contract.session import Event, SessionState
from app.recorder.leftovers import ENDING
from app.shell import text
from app.shell.course import Course
from tests.unit.shell_parts import PATIENCE_MS
from tests.unit.shell_play import Play, exam_sites, plays

S = SessionState


exam_site = pytest.fixture(exam_sites)
play = pytest.fixture(plays)


def test_everything_that_was_held_is_listed_as_given_back() -> None:
    course = Course(locked=True, undone=("Console keys work again", "Screen saver works again."))
    assert course.ending().undone == ("Console keys work again.", "Screen saver works again.")
    course.taken |= set(Capability)
    assert course.ending().undone[:3] == tuple(text.GIVEN_BACK.values())


def test_an_exam_that_never_opened_ended_at_the_checks() -> None:
    assert [Course(exam_seen=seen).ending().step for seen in (False, True)] == [2, 4]


@pytest.mark.parametrize("by", ["submit", "time_up", "terminate", "quit_code", "fatal", "lock_failed", "failed"])
def test_what_waits_is_sent_in_the_way_that_is_said(by: str) -> None:
    upload = Course(locked=True, exam_seen=True, complete=False, ended_by=by).ending().upload
    assert upload == (text.END_DEFERRED if by in m.ENDS_SESSION else text.END_KEPT)
    assert "exam link again" not in text.END_DEFERRED, "whoever opens it takes the exam up again"


@pytest.mark.parametrize("by", ["submit", "time_up", "terminate", "quit_code"])
def test_where_nobody_knows_that_it_was_handed_in_the_command_that_ends_it_is_named(by: str) -> None:
    course = Course(locked=True, exam_seen=True, complete=False, ended_by=by, hand_in_noted=False)
    assert course.ending().upload == text.END_UNNOTED
    assert ENDING in text.END_UNNOTED


def _fail_to_lock(play: Play) -> None:
    """Come as far as the lock and no further: nothing needs to be loaded for the way out."""
    play.join()
    play.check()
    play.stage.proceed.emit()
    play.g.receive(m.Engaged(holding=(Capability.CLIPBOARD_GUARD, Capability.SLEEP_GUARD), missing={}))
    play.controller.session.fail(Event.LOCK_FAILED, "It did not hold.")
    assert play.state() is S.UNLOCKING


def test_what_the_guard_held_is_on_the_last_screen_and_a_key_closes_it(play: Play, qtbot: QtBot) -> None:
    _fail_to_lock(play)
    play.g.receive(m.Released(undone=("Screen saver works again",), failed=()))
    play.r.receive(m.Flushed(complete=True, message=""))
    words = play.words()
    assert text.END_UNDONE_HEADING in words
    assert text.GIVEN_BACK["clipboard_guard"] in words
    assert "Screen saver works again." in words
    end = play.stage._end
    assert end is not None
    with qtbot.waitSignal(play.stage.closed, timeout=PATIENCE_MS):
        QTest.keyClick(end.close_button, Qt.Key.Key_Space)


@pytest.mark.parametrize("silence", ["the guard went too often", "no answer in time"])
def test_without_an_answer_of_the_guard_nobody_is_told_that_all_is_well(play: Play, silence: str) -> None:
    _fail_to_lock(play)
    if silence == "no answer in time":
        play.controller.engagement._limit.timeout.emit()
    else:
        play.g.given_up()
    play.r.receive(m.Flushed(complete=True, message=""))
    assert play.state() is S.ENDED
    words = play.words()
    assert text.END_UNSURE in words
    assert text.END_UNDO_HINT in words
    assert not play.controller.course.ending().good

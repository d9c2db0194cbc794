"""What the guard minds about the computer, as the candidate meets it: in the checks, and during the exam."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract.incidents import IncidentKind
from app.contract.policy import Treatment
from app.contract.session import SessionState as S
from app.shell import text
from tests.unit.shell_parts import site
from tests.unit.shell_play import DECOY, Play, playing
from tests.unit.shell_policies import policy_for


@pytest.fixture
def play(qapp: QApplication) -> Iterator[Play]:
    with site() as served, playing(policy_for(served.origin), qapp) as made:
        yield made


def _concern(follows: Treatment) -> m.Concern:
    return m.Concern(
        kind=IncidentKind.DISPLAY_CHANGED,
        treatment=follows,
        score=1000,
        signals=("2 displays are in use, 1 allowed",),
        says="2 displays are in use, 1 allowed. Unplug one.",
    )


def _check(play: Play, *concerns: m.Concern) -> None:
    play.stage.acknowledged.emit()
    play.r.receive(m.ChecksDone(sources={"camera": "sample"}, models={}))
    play.g.receive(m.ProcessesFound(processes=()))
    assert text.CHECKS_GOOD not in play.words()  # the guard has not answered yet
    play.g.receive(m.Examined(tier="B", concerns=concerns))


def test_the_checks_ask_the_guard_to_look_at_the_computer(play: Play) -> None:
    play.join()
    _check(play)
    assert [order.policy for order in play.guard.of(m.Examine)] == [play.joined.policy]
    assert text.CHECKS_GOOD in play.words()


def test_what_holds_in_part_though_it_is_required_whole_is_said_before_anything_is_closed(play: Play) -> None:
    play.join()
    play.stage.acknowledged.emit()
    play.r.receive(m.ChecksDone(sources={"camera": "sample"}, models={}))
    play.g.receive(m.ProcessesFound(processes=(DECOY,)))
    play.g.receive(m.Examined(tier="B", concerns=(), limits={"input_guard": "The console keys still work."}))
    said = play.words()
    assert "in every part what holds only in part here: holding the keyboard (The console keys still work)." in said
    assert text.MISSING_ADVICE in said
    assert text.CHECKS_BAD in said
    play.stage.proceed.emit()
    assert not any(order.close for order in play.guard.of(m.CloseProcesses))
    assert play.state() is S.CHECKING


def test_a_refusal_is_shown_and_the_exam_does_not_start(play: Play) -> None:
    play.join()
    _check(play, _concern(Treatment.REFUSE))
    assert "Unplug one." in play.words()
    assert text.CHECKS_BAD in play.words()
    play.stage.proceed.emit()
    assert play.state() is S.CHECKING
    play.stage.again.emit()
    play.r.receive(m.ChecksDone(sources={"camera": "sample"}, models={}))
    play.g.receive(m.ProcessesFound(processes=()))
    play.g.receive(m.Examined(tier="B", concerns=()))
    play.stage.proceed.emit()
    assert play.state() is S.LOCKING


@pytest.mark.parametrize("follows", [Treatment.WARN, Treatment.RECORD])
def test_the_rest_is_shown_and_the_exam_may_start(play: Play, follows: Treatment) -> None:
    play.join()
    _check(play, _concern(follows))
    assert "Unplug one." in play.words()
    play.stage.proceed.emit()
    assert play.state() is S.LOCKING


def test_during_the_exam_a_concern_is_told(play: Play, qtbot: QtBot) -> None:
    play.join()
    play.check()
    play.lock(qtbot)
    assert play.state() is S.RUNNING
    play.g.receive(_concern(Treatment.WARN))
    assert text.CONCERN_HEADING in play.words()
    assert "Unplug one." in play.words()

"""What the session survives: faults of our own, a recorder that comes back, an application that is started again."""

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract.session import Event, SessionState
from app.shell.course import ExitCode
from tests.unit.shell_parts import Site, site
from tests.unit.shell_policies import policy_for
from tests.unit.test_shell_controller import Play

S = SessionState


@pytest.fixture
def exam_site() -> Iterator[Site]:
    with site() as served:
        yield served


@pytest.fixture
def play(qapp: QApplication, exam_site: Site) -> Iterator[Play]:
    made = Play(policy_for(exam_site.origin))
    yield made
    made.stage.dispose()
    made.window.deleteLater()
    qapp.processEvents()


def _fail(*_arguments: object, **_options: object) -> NoReturn:
    raise ValueError("a fault")


# --- faults of our own --------------------------------------------------------------------------------------------


def _is_released_and_ends(play: Play, ended_by: str) -> None:
    """Let the other processes answer; the machine must be free and the last screen shown."""
    assert play.state() is S.UNLOCKING
    assert play.guard.of(m.Release) == [m.Release()]
    assert play.stage.tab is None
    assert play.stage.exam is None
    play.g.receive(m.Released(undone=(), failed=()))
    assert play.recorder.of(m.Finish) == [m.Finish(reason=ended_by)]
    play.r.receive(m.Flushed(complete=True, message=""))
    assert play.state() is S.ENDED


def test_a_fault_while_locking_unlocks(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play.stage, "engage", _fail)
    play.join()
    play.check()
    play.stage.proceed.emit()
    _is_released_and_ends(play, "fatal")
    assert "a fault of its own" in play.words()


def test_a_fault_while_the_exam_is_opened_unlocks(play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.shell.stage.ExamTab", _fail)
    play.join()
    play.check()
    play.lock(qtbot)
    _is_released_and_ends(play, "fatal")
    assert "a fault of its own" in play.words()


@pytest.mark.parametrize("part", ["close_exam", "show_wait", "release"])
def test_a_fault_while_unlocking_still_releases_and_ends(
    play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    play.run(qtbot)
    really: Callable[..., None] = getattr(play.stage, part)

    def do_and_fail(*arguments: object, **options: object) -> NoReturn:
        really(*arguments, **options)
        _fail()

    monkeypatch.setattr(play.stage, part, do_and_fail)
    play.stage.submitted.emit()
    _is_released_and_ends(play, "submit")
    monkeypatch.undo()


def test_a_fault_while_sending_ends(play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    play.run(qtbot)
    monkeypatch.setattr(play.stage, "show_flush", _fail)
    play.stage.submitted.emit()
    play.g.receive(m.Released(undone=(), failed=()))
    assert play.state() is S.ENDED


def test_without_a_last_screen_the_window_closes(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play.stage, "show_end", _fail)
    play.join()
    play.stage.declined.emit()
    assert play.state() is S.ENDED
    assert play.codes == [ExitCode.LEFT]


def test_what_happens_during_a_fault_is_not_lost(play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two events wait when the effect fails; the machine must go on all the same."""

    def happen_and_fail(_exam: object) -> None:
        play.controller.happen(Event.PAUSE)
        play.controller.happen(Event.RESUME)
        _fail()

    monkeypatch.setattr(play.stage, "open_exam", happen_and_fail)
    play.join()
    play.check()
    play.lock(qtbot)
    _is_released_and_ends(play, "fatal")


def test_effects_never_run_inside_one_another(play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    depth: list[str] = []
    really = play.controller._carry_out

    def carry_out(effect: Callable[[], None]) -> None:
        assert not depth
        depth.append("inside")
        really(effect)
        depth.pop()

    monkeypatch.setattr(play.controller, "_carry_out", carry_out)
    play.run(qtbot)
    play.status(frozen=True)
    play.status(frozen=False)
    play.stage.submitted.emit()
    assert play.state() is S.UNLOCKING

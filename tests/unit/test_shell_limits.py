"""No limit outlives the turn for which it was set: what comes too late for locking must not end an exam that runs."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract.session import SessionState
from tests.unit.shell_parts import Site
from tests.unit.shell_play import Play, exam_sites, playing
from tests.unit.shell_policies import policy_for
from tests.unit.shell_screens import GRANTED

S = SessionState


exam_site = pytest.fixture(exam_sites)


@pytest.fixture
def play(qapp: QApplication, exam_site: Site) -> Iterator[Play]:
    with playing(policy_for(exam_site.origin), qapp) as made:
        made.granted = GRANTED
        yield made


def _running(play: Play) -> tuple[bool, bool]:
    """Return whether the limits of locking or unlocking and of a break run."""
    return play.controller.engagement._limit.isActive(), play.controller.sitting._break_limit.isActive()


def test_each_limit_runs_in_its_turn_only(play: Play, qtbot: QtBot) -> None:
    play.join()
    play.check()
    assert _running(play) == (False, False)
    play.stage.proceed.emit()
    assert _running(play) == (True, False)
    play.lock(qtbot)
    assert (play.state(), _running(play)) == (S.RUNNING, (False, False))
    play.stage.break_wanted.emit()
    assert (play.state(), _running(play)) == (S.PAUSED, (False, True))
    play.stage.submitted.emit()
    assert (play.state(), _running(play)) == (S.UNLOCKING, (True, False))
    play.g.receive(m.Released(undone=(), failed=()))
    assert (play.state(), _running(play)) == (S.FLUSHING, (False, False))
    play.r.receive(m.Flushed(complete=True, message=""))
    assert (play.state(), _running(play)) == (S.ENDED, (False, False))

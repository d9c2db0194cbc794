"""Hints during the exam: shown above the page for a while, only while the exam runs."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract.actions import ActionKind
from app.contract.hints import HINTS, Hint
from tests.unit.shell_parts import site
from tests.unit.shell_play import Play, playing
from tests.unit.shell_policies import policy_for


@pytest.fixture
def play(qapp: QApplication) -> Iterator[Play]:
    with site() as served, playing(policy_for(served.origin), qapp) as made:
        yield made


def test_a_hint_is_shown_for_a_while(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.r.receive(m.HintGiven(hint=Hint.DARK))
    assert HINTS[Hint.DARK] in play.words()
    exam = play.stage.exam
    assert exam is not None
    exam.hint_ends.timeout.emit()
    assert HINTS[Hint.DARK] not in play.words()


def test_no_hint_is_shown_over_a_pause(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.act(ActionKind.PAUSE)
    play.r.receive(m.HintGiven(hint=Hint.DARK))
    assert HINTS[Hint.DARK] not in play.words()


def test_every_hint_has_words_that_say_what_to_do() -> None:
    assert set(HINTS) == set(Hint)
    assert all(":" in words and words.endswith(".") for words in HINTS.values())

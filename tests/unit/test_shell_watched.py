"""Who may be watched is told so: before anything begins, by whom, and on the bar for as long as it lasts."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.contract.policy import Capture, Policy
from app.shell import text, theme
from app.shell.screens.bar import ExamBar
from app.shell.screens.notice import NoticeScreen
from tests.unit.shell_parts import dressed
from tests.unit.shell_policies import POLICY

WATCHED = replace(POLICY, capture=Capture(live_view=True))
NOTHING_TO_SEE = replace(POLICY, capture=Capture(live_view=True, camera=False, microphone=False, screen=False))


def test_the_notice_says_who_may_watch_and_that_nobody_sees_when(qtbot: QtBot) -> None:
    screen = NoticeScreen(dressed(theme.LIGHT), WATCHED)
    qtbot.addWidget(screen)
    assert (
        "Who can open it: Only Dr. Ada Okafor and Examination Office. They may also watch while you work; nothing "
        "here shows whether somebody does."
    ) in screen.shown
    assert text.readers(WATCHED) in {label.text() for label in screen.findChildren(QLabel)}


@pytest.mark.parametrize("policy", [POLICY, NOTHING_TO_SEE])
def test_where_nobody_can_watch_nothing_is_said_of_it(policy: Policy) -> None:
    assert "watch" not in text.readers(policy)
    assert not text.may_be_watched(policy)


@pytest.mark.parametrize("watched", [True, False])
def test_the_bar_says_it_for_as_long_as_it_records(qtbot: QtBot, watched: bool) -> None:
    bar = ExamBar(title="Algebra", candidate="Kim Lee", watched=watched)
    qtbot.addWidget(bar)

    def said() -> list[str]:
        shown = [label.text() for label in bar.findChildren(QLabel) if not label.isHidden()]
        return [words for words in shown if words in (text.RECORDING, text.NOT_RECORDING, "· may be watched")]

    recording = [text.RECORDING, "· may be watched"] if watched else [text.RECORDING]
    assert said() == recording
    bar.show_recording(False)
    assert said() == [text.NOT_RECORDING]
    bar.show_recording(True)
    assert said() == recording

"""Questions, messages and the bridge: what the screens ask, and how answers come back."""

import threading

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.shell import text, theme
from app.shell.bridge import Bridge
from app.shell.screens.notice import NoticeScreen
from app.shell.screens.overlay import Overlay, Question
from tests.unit import shell_screens
from tests.unit.shell_parts import PATIENCE_MS, dressed
from tests.unit.shell_policies import POLICY


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


def test_the_notice_can_be_answered_by_keyboard(qtbot: QtBot) -> None:
    screen = NoticeScreen(dressed(theme.LIGHT), POLICY)
    qtbot.addWidget(screen)
    with qtbot.waitSignal(screen.acknowledged, timeout=PATIENCE_MS):
        QTest.keyClick(screen.yes, Qt.Key.Key_Space)


def test_a_question_takes_the_keyboard_and_gives_its_answer(qtbot: QtBot, window: QWidget) -> None:
    overlay = Overlay(window)
    window.resize(900, 600)
    window.show()
    answers: list[str | None] = []
    overlay.put(Question(title="T", line="L", no="No", field="", secret=True), answers.append)
    assert overlay.size() == window.size()
    QTest.keyClick(overlay, Qt.Key.Key_Escape)
    assert answers == [None]
    overlay.put(Question(title="T", line="<b>L</b>", field="abc"), answers.append)
    field = overlay.findChildren(QWidget)[-1]
    assert field is not None
    for button in overlay.findChildren(QPushButton):
        if button.text() == text.OK:
            button.click()
    assert answers == [None, "abc"]
    assert not overlay.isVisible()


def test_a_page_that_waits_for_an_answer_is_let_go(qtbot: QtBot, window: QWidget) -> None:
    overlay = Overlay(window)
    window.show()
    waited: list[bool] = []
    qtbot.waitExposed(window)

    def dismiss() -> None:
        waited.append(overlay.is_waited_for)
        overlay.dismiss()

    QTimer.singleShot(50, dismiss)
    assert overlay.confirm("Really?") is False
    assert waited == [True]
    assert not overlay.is_waited_for


def test_no_page_asks_while_the_shell_does(qtbot: QtBot, window: QWidget) -> None:
    """Its line must not lie under the code that an invigilator types."""
    overlay = Overlay(window)
    window.show()
    answers: list[str | None] = []
    qtbot.waitExposed(window)
    overlay.put(Question(title="End the exam?", line="Code", no="No", field="", secret=True), answers.append)
    assert overlay.ask("Code", "") is None
    assert not overlay.confirm("Stay?")
    assert answers == []
    overlay.findChildren(QLineEdit)[0].setText("quit")
    overlay.findChildren(QPushButton)[-1].click()
    assert answers == ["quit"]


def test_the_shell_s_question_takes_the_place_of_a_page_s(qtbot: QtBot, window: QWidget) -> None:
    overlay = Overlay(window)
    window.show()
    answers: list[str | None] = []
    qtbot.waitExposed(window)
    question = Question(title="End the exam?", line="Sure?", no="No")
    QTimer.singleShot(50, lambda: overlay.put(question, answers.append))
    assert overlay.ask("For ever?", "") is None
    assert overlay.isVisible()
    assert answers == []


def test_messages_of_an_examiner_wait_for_each_other(qtbot: QtBot) -> None:
    screen = shell_screens.exam(dressed(theme.LIGHT))
    qtbot.addWidget(screen)
    screen.show()
    screen.show_message("From Ada", "one")
    screen.show_message("From Ada", "two")

    def shown() -> set[str]:
        return {label.text() for label in screen.findChildren(QLabel) if label.isVisible()} & {"one", "two"}

    seen = []
    for _ in range(2):
        seen.append(shown())
        next(b for b in screen.findChildren(QPushButton) if b.text() == text.MESSAGE_SEEN and b.isVisible()).click()
    assert seen == [{"one"}, {"two"}]
    assert shown() == set()


def test_the_bridge_delivers_in_order_in_the_gui_thread(qtbot: QtBot, qapp: QApplication) -> None:
    bridge = Bridge()
    heard: list[tuple[object, bool]] = []
    bridge.message.connect(
        lambda _child, message: heard.append((message, threading.current_thread() is threading.main_thread()))
    )
    bridge.closed.connect(lambda child: heard.append((child, True)))

    def post() -> None:
        for number in range(1000):
            bridge.post_message("recorder", number)
        bridge.post_closed("recorder")

    poster = threading.Thread(target=post)
    poster.start()
    qtbot.waitUntil(lambda: len(heard) == 1001, timeout=PATIENCE_MS)
    poster.join()
    assert [message for message, _ in heard] == [*range(1000), "recorder"]
    assert all(in_gui for _, in_gui in heard)
    bridge.close()
    bridge.post_message("recorder", "too late")

"""The screens: reachable by keyboard, named for screen readers, and whole at the sizes they are made for."""

import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.messages import Check, ProcessInfo
from app.shell import text, theme
from app.shell.bridge import Bridge
from app.shell.screens.bar import ExamBar
from app.shell.screens.checks import ChecksScreen
from app.shell.screens.end import EndScreen
from app.shell.screens.ending import Ending
from app.shell.screens.exam import ExamScreen
from app.shell.screens.flush import FlushScreen
from app.shell.screens.notice import NoticeScreen
from app.shell.screens.overlay import Overlay, Question
from app.shell.screens.progress import ProgressScreen
from tests.unit.shell_parts import Listener  # noqa: F401  (sets Qt up without a screen)
from tests.unit.shell_policies import POLICY

SIZES = [(1280, 800), (1920, 1080), (1024, 700)]


def _checks(look: theme.Theme) -> ChecksScreen:
    screen = ChecksScreen(look)
    for number in range(6):
        words = "A sentence that says what was found, and what to do about it if it is not right."
        screen.show_check(Check(name=f"Check {number}", ok=number != 2, blocking=number == 2, message=words))
    screen.show_programs([ProcessInfo(pid=1, name="x", path="/opt/x", rule="r")], grace_s=5, still_running=False)
    screen.show_result(good=True, programs=True)
    return screen


def _exam(look: theme.Theme) -> ExamScreen:
    badges = ((text.SAMPLE_CAMERA, text.SAMPLE_CAMERA_LONG),)
    screen = ExamScreen(look, ExamBar(look, title=POLICY.title * 3, candidate="Kim Lee", badges=badges))
    screen.bar.show_time(4000, left=True)
    screen.bar.show_battery(12, plugged=False)
    screen.bar.show_network(online=False, pending_bytes=5_000_000)
    screen.cover_up("frozen", "")
    return screen


def _end(look: theme.Theme) -> EndScreen:
    return EndScreen(look, Ending(title="Done", line="A line", good=True, undone=("One.",), closed=("x",)))


SCREENS: dict[str, Callable[[theme.Theme], QWidget]] = {
    "joining": lambda look: ProgressScreen(look, step=0, title="Joining", line="A line", cancel=True),
    "notice": lambda look: NoticeScreen(look, POLICY),
    "checks": _checks,
    "exam": _exam,
    "flush": lambda look: FlushScreen(look, badges=(text.DEMONSTRATION,)),
    "end": _end,
}


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_a_screen_is_drawn_whole(
    qapp: QApplication, qtbot: QtBot, look: theme.Theme, name: str, size: tuple[int, int]
) -> None:
    theme.apply(qapp, look)
    screen = SCREENS[name](look)
    qtbot.addWidget(screen)
    screen.resize(*size)
    screen.show()
    qtbot.waitExposed(screen)
    assert screen.width() == size[0], "nothing forces it wider"
    for area in screen.findChildren(QScrollArea):
        assert not area.horizontalScrollBar().isVisible()
        if size != (1024, 700):
            assert area.verticalScrollBar().maximum() == 0, "all of it fits"
    for label in screen.findChildren(QLabel):
        if label.isVisible() and label.wordWrap() and label.text():
            assert label.height() >= label.heightForWidth(label.width()) - 1, f"cut off: {label.text()}"
    picture = screen.grab().toImage()
    ground = QColor(picture.pixel(picture.width() - 3, picture.height() // 2))
    assert ground.lightness() > 200 if look is theme.LIGHT else ground.lightness() < 60


@pytest.mark.parametrize("name", SCREENS)
def test_every_button_has_a_name_and_can_be_reached(qtbot: QtBot, name: str) -> None:
    screen = SCREENS[name](theme.LIGHT)
    qtbot.addWidget(screen)
    for button in screen.findChildren(QPushButton):
        assert button.accessibleName()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_notice_can_be_answered_by_keyboard(qtbot: QtBot) -> None:
    screen = NoticeScreen(theme.LIGHT, POLICY)
    qtbot.addWidget(screen)
    with qtbot.waitSignal(screen.acknowledged):
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


def test_messages_of_an_examiner_wait_for_each_other(qtbot: QtBot) -> None:
    screen = _exam(theme.LIGHT)
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
    qtbot.waitUntil(lambda: len(heard) == 1001, timeout=10_000)
    poster.join()
    assert [message for message, _ in heard] == [*range(1000), "recorder"]
    assert all(in_gui for _, in_gui in heard)
    bridge.close()
    bridge.post_message("recorder", "too late")

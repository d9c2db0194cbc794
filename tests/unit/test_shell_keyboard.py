"""All of it without a mouse: what can be done by pointing can be done by keys alone, and no key leads into a trap."""

from typing import TypeVar

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.shell import text
from app.shell.screens.base import Screen
from app.shell.screens.display import DisplayTools
from app.shell.screens.exam import ExamScreen
from app.shell.screens.overlay import Overlay, Question
from app.shell.tab_keys import TabKeys
from app.shell.theme import LIGHT
from tests.unit import shell_screens
from tests.unit.shell_parts import PATIENCE_MS, dressed

MOST_STOPS = 60
W = TypeVar("W", bound=QWidget)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is announced, in order."""
    words: list[str] = []

    def keep(_widget: QWidget, sentence: str, *, urgent: bool = False) -> None:
        words.append(f"{'! ' if urgent else ''}{sentence}")

    for module in ("bar", "base", "checks", "cover", "display", "exam", "flush", "overlay"):
        monkeypatch.setattr(f"app.shell.screens.{module}.announce", keep)
    return words


def shown(qtbot: QtBot, screen: W, *, width: int = 1280, height: int = 800) -> W:
    """Show ``screen`` as the window with the keyboard."""
    qtbot.addWidget(screen)
    screen.resize(width, height)
    screen.show()
    screen.activateWindow()
    qtbot.waitUntil(screen.isActiveWindow, timeout=PATIENCE_MS)
    return screen


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key wherever the keyboard is now."""
    focused = QApplication.focusWidget()
    assert focused is not None, "the keyboard is nowhere"
    QTest.keyClick(focused, key, modifiers)


def stops(key: Qt.Key = Qt.Key.Key_Tab) -> list[QWidget]:
    """Go round by Tab until the first stop comes again; return all of them in order."""
    press(key)
    first = QApplication.focusWidget()
    assert first is not None
    found = [first]
    for _ in range(MOST_STOPS):
        press(key)
        now = QApplication.focusWidget()
        assert now is not None
        if now is first:
            return found
        assert now not in found, f"Tab is caught at {now.accessibleName()}"
        found.append(now)
    raise AssertionError("Tab never comes round")


def go_to(name: str) -> QWidget:
    """Press Tab until the widget of that accessible name has the keyboard."""
    for _ in range(MOST_STOPS):
        press(Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is not None and now.accessibleName() == name:
            return now
    raise AssertionError(f"Tab does not reach {name}")


@pytest.mark.parametrize("name", shell_screens.SCREENS)
def test_tab_goes_round_and_reaches_every_button(qtbot: QtBot, name: str) -> None:
    screen = shown(qtbot, shell_screens.SCREENS[name](dressed(LIGHT)))
    reached = stops()
    expected = [made for made in screen.findChildren(QPushButton) if made.isVisible() and made.isEnabled()]
    assert [made.accessibleName() for made in expected if made not in reached] == []
    assert [stop for stop in reached if not stop.accessibleName()] == [], "every stop says what it is"
    assert set(stops(Qt.Key.Key_Backtab)) == set(reached)


@pytest.mark.parametrize("name", shell_screens.SCREENS)
def test_where_the_keyboard_is_can_be_seen(qtbot: QtBot, name: str) -> None:
    screen = shown(qtbot, shell_screens.SCREENS[name](dressed(LIGHT)))
    for stop in stops():
        stop.setFocus()
        with_focus = screen.grab().toImage()
        stop.clearFocus()
        assert screen.grab().toImage() != with_focus, f"{stop.accessibleName()} looks the same with the keyboard"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_the_notice_is_read_and_answered_by_keys(qtbot: QtBot, key: Qt.Key) -> None:
    screen = shown(qtbot, shell_screens.notice(dressed(LIGHT)))
    card = go_to("What is recorded")
    assert "camera" in card.accessibleDescription()
    go_to(text.NOTICE_YES)
    with qtbot.waitSignal(screen.acknowledged, timeout=PATIENCE_MS):
        press(key)


def test_the_notice_is_declined_by_keys_and_escape_alone_declines_nothing(qtbot: QtBot) -> None:
    screen = shown(qtbot, shell_screens.notice(dressed(LIGHT)))
    screen.yes.setFocus()
    with qtbot.assertNotEmitted(screen.declined):
        press(Qt.Key.Key_Escape)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == text.NOTICE_NO
    with qtbot.waitSignal(screen.declined, timeout=PATIENCE_MS):
        press(Qt.Key.Key_Return)


def test_the_page_keys_scroll_from_anywhere(qtbot: QtBot) -> None:
    screen = shown(qtbot, shell_screens.notice(dressed(LIGHT, steps=5)))
    screen.yes.setFocus()
    bar = screen._area.verticalScrollBar()
    press(Qt.Key.Key_PageDown)
    assert bar.value() > 0
    press(Qt.Key.Key_PageUp)
    assert bar.value() == 0


def test_what_has_the_keyboard_is_scrolled_into_view(qtbot: QtBot) -> None:
    screen = shown(qtbot, shell_screens.notice(dressed(LIGHT, steps=5)))
    card = go_to("If the connection fails")
    assert screen._area.viewport().rect().contains(card.mapTo(screen._area.viewport(), card.rect().topLeft()))


def test_the_checks_are_read_repeated_and_passed_by_keys(qtbot: QtBot, said: list[str]) -> None:
    screen = shown(qtbot, shell_screens.checks(dressed(LIGHT)))
    assert any("must be put right" in words for words in said)
    assert any(words.startswith(text.PROGRAMS_HEADING) for words in said)
    assert "must be put right" in go_to("Check 2: must be put right").accessibleName()
    go_to(text.CHECKS_AGAIN)
    with qtbot.waitSignal(screen.again, timeout=PATIENCE_MS):
        press(Qt.Key.Key_Space)
    go_to(text.CHECKS_CLOSE)
    with qtbot.waitSignal(screen.proceed, timeout=PATIENCE_MS):
        press(Qt.Key.Key_Return)
    screen.restart()
    focused = QApplication.focusWidget()
    assert focused is not None, "the keyboard stays somewhere while the checks run"
    assert focused.isEnabled()


def test_text_and_contrast_are_changed_by_keys(qtbot: QtBot, said: list[str]) -> None:
    look = dressed(LIGHT)
    screen = shown(qtbot, shell_screens.end(look))
    go_to(text.LARGER)
    press(Qt.Key.Key_Space)
    assert look.scale > 1.0
    assert said[-1] == text.TEXT_SIZE.format(percent=round(look.scale * 100))
    tools = screen.findChildren(DisplayTools)[0]
    go_to(text.HIGH_CONTRAST)
    press(Qt.Key.Key_Space)
    assert look.has_high_contrast
    assert tools.contrast.isChecked()
    press(Qt.Key.Key_Return)
    assert not look.has_high_contrast


@pytest.fixture
def exam(qtbot: QtBot) -> ExamScreen:
    """The exam screen with a field to write in where the page would be."""
    screen = shell_screens.exam(dressed(LIGHT))
    page = QWidget()
    field = QLineEdit()
    QVBoxLayout(page).addWidget(field)
    page.setFocusProxy(field)
    screen.put_view(page)
    screen.uncover()
    return shown(qtbot, screen)


def test_f6_goes_to_the_bar_and_back_and_escape_goes_back(exam: ExamScreen) -> None:
    exam.uncover()
    page = QApplication.focusWidget()
    assert isinstance(page, QLineEdit)
    for back in (Qt.Key.Key_F6, Qt.Key.Key_Escape):
        press(Qt.Key.Key_F6)
        focused = QApplication.focusWidget()
        assert focused is not None
        assert exam.bar.isAncestorOf(focused)
        press(back)
        assert QApplication.focusWidget() is page


def test_a_covered_exam_has_the_keyboard_on_what_is_said(exam: ExamScreen, said: list[str]) -> None:
    exam.cover_up("pause", "Fire drill.")
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == text.COVER_TITLES["pause"]
    assert "Fire drill." in focused.accessibleDescription()
    assert said[-1].startswith(f"! {text.COVER_TITLES['pause']}")
    exam.uncover()
    assert said[-1] == f"! {text.UNCOVERED}"


def test_a_break_is_taken_and_ended_by_keys(exam: ExamScreen, qtbot: QtBot) -> None:
    exam.uncover()
    press(Qt.Key.Key_F6)
    with qtbot.waitSignal(exam.bar.rest, timeout=PATIENCE_MS):
        press(Qt.Key.Key_Return)
    exam.cover_up("break", "")
    with qtbot.waitSignal(exam.cover.ended, timeout=PATIENCE_MS):
        press(Qt.Key.Key_Return)


def test_a_message_is_announced_and_acknowledged_by_keys(exam: ExamScreen, said: list[str]) -> None:
    exam.uncover()
    exam.show_message("From Ada", "Ten minutes more for everybody.")
    assert said[-1] == "! From Ada. Ten minutes more for everybody."
    go_to(text.MESSAGE_SEEN)
    press(Qt.Key.Key_Space)
    assert isinstance(QApplication.focusWidget(), QLineEdit), "back in the page"


def test_what_changes_in_the_bar_is_announced_once(exam: ExamScreen, said: list[str]) -> None:
    bar = exam.bar
    bar.show_time(302, left=True)
    said.clear()
    bar.show_network(online=True, pending_bytes=0)
    bar.show_network(online=True, pending_bytes=0)
    bar.show_recording(False)
    for seconds in (301, 300, 299):
        bar.show_time(seconds, left=True)
    assert said == [text.ONLINE, text.NOT_RECORDING, "! 5 minutes left"]


def test_a_question_keeps_the_keyboard_until_it_is_answered(qtbot: QtBot, said: list[str]) -> None:
    window = shown(qtbot, QWidget())
    below = QPushButton("below", window)
    below.show()
    overlay = Overlay(window)
    answers: list[str | None] = []
    overlay.put(Question(title="Quit?", line="Enter the code.", no="No", field=""), answers.append)
    assert said == ["! Quit?. Enter the code."]
    assert below not in stops()
    overlay.findChildren(QLineEdit)[0].setFocus()
    press(Qt.Key.Key_A)
    press(Qt.Key.Key_Return)
    assert answers == ["a"]
    overlay.put(Question(title="Quit?", line="Sure?", no="No"), answers.append)
    press(Qt.Key.Key_Escape)
    assert answers == ["a", None]


def test_zoom_and_the_way_to_the_bar_are_taken_from_the_page_and_nothing_else(qtbot: QtBot) -> None:
    keys = TabKeys()
    heard: list[object] = []
    keys.zoom.connect(heard.append)
    keys.bar_wanted.connect(lambda: heard.append("bar"))
    control, shift, none = (
        Qt.KeyboardModifier.ControlModifier,
        Qt.KeyboardModifier.ShiftModifier,
        Qt.KeyboardModifier.NoModifier,
    )
    ours = [
        (Qt.Key.Key_Plus, control | shift),
        (Qt.Key.Key_Equal, control),
        (Qt.Key.Key_Minus, control | Qt.KeyboardModifier.KeypadModifier),
        (Qt.Key.Key_0, control),
        (Qt.Key.Key_F6, none),
    ]
    for key, modifiers in ours:
        for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            assert keys.take(QKeyEvent(kind, key, modifiers))
    assert heard == [1, 1, -1, 0, "bar"]
    for key, modifiers in [(Qt.Key.Key_Plus, none), (Qt.Key.Key_A, control), (Qt.Key.Key_Tab, none)]:
        assert not keys.take(QKeyEvent(QEvent.Type.KeyPress, key, modifiers))


def test_a_new_screen_says_which_it_is(qtbot: QtBot, said: list[str]) -> None:
    screen = shown(qtbot, shell_screens.SCREENS["flush"](dressed(LIGHT)))
    assert isinstance(screen, Screen)
    assert said == [f"{text.FLUSH_TITLE}. {text.FLUSH_LINE}"]

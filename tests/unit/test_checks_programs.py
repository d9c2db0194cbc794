"""Programs to be closed, as the candidate sees them: each once, and a renamed copy as what it is a copy of."""

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.messages import ProcessInfo
from app.shell import text, theme
from app.shell.screens.checks import ChecksScreen
from tests.unit.shell_parts import dressed

COPY = ProcessInfo(pid=1, name="essay", path="/home/me/essay", rule="remote-desktop", copy_of="anydesk")
SAME = ProcessInfo(pid=2, name="essay", path="/home/me/essay", rule="remote-desktop", copy_of="anydesk")
OTHER = ProcessInfo(pid=3, name="obs", path="/usr/bin/obs", rule="screen-recorder")


def _screen(qtbot: QtBot) -> ChecksScreen:
    screen = ChecksScreen(dressed(theme.LIGHT))
    qtbot.addWidget(screen)
    return screen


def _texts(screen: ChecksScreen) -> list[str]:
    return [label.text() for label in screen.findChildren(QLabel)]


def test_a_renamed_copy_is_told_as_what_it_is_and_each_program_once(qtbot: QtBot) -> None:
    screen = _screen(qtbot)
    screen.show_programs([COPY, SAME, OTHER], grace_s=5, still_running=False)
    assert _texts(screen).count("essay (a copy of anydesk)") == 1
    assert _texts(screen).count("obs") == 1


def test_what_would_not_close_is_shown_with_what_to_do(qtbot: QtBot) -> None:
    screen = _screen(qtbot)
    screen.show_programs([OTHER], grace_s=5, still_running=True)
    assert text.PROGRAMS_LEFT in _texts(screen)
    assert "Close them yourself" in text.PROGRAMS_LEFT
    assert "restart" in text.PROGRAMS_LEFT

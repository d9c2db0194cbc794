"""What the candidate reads about the upload: what waits and why, and how long the rest may take."""

from pytestqt.qtbot import QtBot

from app.shell import text
from app.shell.screens.bar import ExamBar
from app.shell.screens.flush import FlushScreen
from app.shell.theme import LIGHT
from tests.unit.shell_parts import dressed

MB = 1_000_000


def test_the_bar_says_what_is_held_back_and_why(qtbot: QtBot) -> None:
    bar = ExamBar(title="Algebra", candidate="Kim Lee", badges=(), breaks=False)
    qtbot.addWidget(bar)
    bar.show_network(online=True, pending_bytes=5 * MB, held_back=True)
    assert bar._network.text() == f"{text.ONLINE}, 5.0 MB wait"
    assert text.HELD_BACK_LONG in bar._network.accessibleDescription() + bar._network.toolTip()
    bar.show_network(online=True, pending_bytes=5 * MB)
    assert bar._network.text() == text.ONLINE
    assert text.HELD_BACK_LONG not in bar._network.accessibleDescription() + bar._network.toolTip()


def test_the_upload_says_how_long_it_may_still_take(qtbot: QtBot) -> None:
    screen = FlushScreen(dressed(LIGHT), badges=())
    qtbot.addWidget(screen)
    screen.show_progress(1 * MB, 4 * MB, 180)
    assert screen.line.text() == "1.0 MB of 4.0 MB received by the server, about 3 minutes left"
    screen.show_progress(2 * MB, 4 * MB)
    assert screen.line.text() == "2.0 MB of 4.0 MB received by the server"

"""What the exam page plays is told to the recorder: from a real page's sound to the message, also to a new recorder."""

from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.shell.gate import Gate
from app.shell.tab import ExamTab
from tests.unit.shell_parts import PATIENCE_MS, Site, site

TONE = """addEventListener("mousedown", () => {
    window.tone = new AudioContext(); const o = tone.createOscillator(); o.connect(tone.destination); o.start();
}); 1"""


class _Silent:
    """A page that asks nothing."""

    def tell(self, text: str) -> None:
        raise AssertionError(text)

    def confirm(self, text: str) -> bool:
        raise AssertionError(text)

    def ask(self, text: str, value: str) -> str | None:
        raise AssertionError(text + value)


@pytest.fixture
def served() -> Iterator[Site]:
    with site() as one:
        yield one


def test_a_page_that_plays_sound_is_audible_and_then_no_longer(qtbot: QtBot, served: Site) -> None:
    parent = QWidget()
    parent.resize(600, 400)
    gate = Gate(allow=(served.origin,), entry_url=f"{served.origin}/", submit_url=f"{served.origin}/submit")
    tab = ExamTab(parent, gate=gate, asker=_Silent(), entry_url=f"{served.origin}/")
    tab.view.resize(600, 400)
    parent.show()
    said: list[bool] = []
    tab.audible.connect(said.append)
    try:
        with qtbot.waitSignal(tab.loaded, timeout=PATIENCE_MS):
            tab.open()
        ready: list[object] = []
        tab.page.runJavaScript(TONE, 0, ready.append)
        qtbot.waitUntil(lambda: bool(ready), timeout=PATIENCE_MS)
        proxy = tab.view.focusProxy()
        assert proxy is not None
        QTest.mouseClick(proxy, Qt.MouseButton.LeftButton)  # without a person's gesture a page may play nothing
        qtbot.waitUntil(lambda: said == [True], timeout=PATIENCE_MS)
        tab.page.runJavaScript("tone.close()")
        qtbot.waitUntil(lambda: said == [True, False], timeout=PATIENCE_MS)
    finally:
        tab.dispose()
        shiboken6.delete(parent)

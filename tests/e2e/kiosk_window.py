"""The exam window alone, as a program of its own: ``python -m tests.e2e.kiosk_window``.

Commands come as lines on standard input: ``text`` (what stands in the page's field), ``free NAMES`` (combinations let
through), ``shot FILE`` (a picture of the screen), ``release``, ``quit``. What happens is written as lines of JSON.
"""

import json
import sys
from typing import Any

from PySide6 import QtWebEngineWidgets  # noqa: F401  (before the QApplication exists)
from PySide6.QtCore import QSocketNotifier
from PySide6.QtWebEngineCore import QWebEnginePage
from PySide6.QtWidgets import QApplication

from app.clock import SystemClock
from app.shell.kiosk import ShellWindow
from app.shell.losses import Loss
from app.shell.tab import ExamView

PAGE = """<!doctype html><title>exam</title><body style="font: 22px sans-serif; margin: 60px; background: #fff">
<h1>Question 3</h1><p>Which of these is a measure of spread?</p><p>The median</p><p>The variance</p>
<input id=q autofocus style="font: inherit; width: 500px; padding: 8px">"""


def say(**what: Any) -> None:
    """Write one line."""
    print(json.dumps(what), flush=True)


class Exam:
    """The window with one page, engaged as during an exam."""

    def __init__(self) -> None:
        self.window = ShellWindow(SystemClock())
        self.view = ExamView(self.window)
        self.page = QWebEnginePage(self.view)
        self.view.setPage(self.page)
        self.window.pages.addWidget(self.view)
        self.window.key_blocked.connect(lambda name: say(blocked=name))
        self.window.input_sent.connect(lambda what: say(sent=what))
        self.window.focus_lost.connect(lambda loss: self._lost("focus", loss))
        self.window.keyboard_taken.connect(lambda loss: self._lost("keyboard", loss))
        self.window.engaged.connect(lambda: say(engaged=sorted(self.window.holding())))
        self.page.loadFinished.connect(self._loaded)
        self.window.show_ordinary()
        self.page.setHtml(PAGE)

    def obey(self, line: str) -> None:
        """Do one command."""
        word, _, given = line.partition(" ")
        match word:
            case "text":
                self.page.runJavaScript("document.getElementById('q').value", 0, lambda value: say(text=value))
            case "free":
                self.window.let_through(given.split())
                say(free=given)
            case "shot":
                self.window.screen().grabWindow(0).save(given)
                say(shot=given)
            case "missing":
                say(missing=dict(self.window.missing()))
            case "release":
                self.window.release()
                say(released=sorted(self.window.holding()))
            case _:
                QApplication.exit(0)

    def _loaded(self) -> None:
        self.window.engage()
        self.view.setFocus()
        proxy = self.view.focusProxy()
        if proxy is not None:
            proxy.installEventFilter(self.window.keys)

    @staticmethod
    def _lost(what: str, loss: Loss) -> None:
        say(lost=what, facts=loss.facts())


def main() -> int:
    """Run until told to quit or until nobody speaks any more."""
    application = QApplication(sys.argv)
    exam = Exam()
    heard = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    heard.activated.connect(lambda: exam.obey(sys.stdin.readline().strip()))
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())

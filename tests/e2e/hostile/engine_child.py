"""The real tab in a process of its own, with the flags it has in an exam, told what to do line by line.

Each line on standard input is a JSON list ``[number, command, argument…]``, answered by a line ``[number, value]`` on
standard output; a page that never finishes leaves its question without an answer. Its own process, because the engine
reads its flags once. ``without`` takes fences away, so that attacks and single fences can be shown to be real:
``interceptor``, ``navigation``, ``windows``, ``rule`` (host names), ``route`` (ports), ``launch`` (the clean start).
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial

from app import launch

if __name__ == "__main__" and "launch" not in sys.argv[1]:
    launch.prepare(sys.argv[2:])  # as the application does, before Qt is imported
else:
    os.environ[launch.SANDBOX_OFF] = "1"

from PySide6 import QtWebEngineWidgets  # noqa: F401  (before the QApplication exists)
from PySide6.QtCore import QObject, QPoint, QSocketNotifier, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWebEngineCore import QWebEngineSettings
from PySide6.QtWidgets import QApplication, QWidget

from app.contract.incidents import IncidentKind
from app.shell import engine, page, profile
from app.shell.gate import Gate
from app.shell.kiosk import KeyGuard
from app.shell.tab import ExamTab

Say = Callable[[object], None]
BUTTONS = {"left": Qt.MouseButton.LeftButton, "middle": Qt.MouseButton.MiddleButton}
HANDED_OVER = ("mailto", "tel", "ftp", "zoommtg", "vscode")
MODIFIERS = {"": Qt.KeyboardModifier.NoModifier, "ctrl": Qt.KeyboardModifier.ControlModifier}
MODIFIERS["shift"] = Qt.KeyboardModifier.ShiftModifier


class Nobody:
    """Answers the page's questions with no."""

    def tell(self, _text: str) -> None:
        pass

    def confirm(self, _text: str) -> bool:
        return False

    def ask(self, _text: str, _value: str) -> str | None:
        return None


class Child(QObject):
    """The commands, by name."""

    def __init__(self, origin: str, allow: list[str], without: list[str]) -> None:
        super().__init__()
        gate = Gate(allow=allow, entry_url=f"{origin}/", submit_url=f"{origin}/submit")
        engine.configure(gate.endpoints, software_drawing=True)
        for name in without:
            _take_away(name)
        self.parent_widget = QWidget()
        self.parent_widget.resize(800, 600)
        self.tab = ExamTab(self.parent_widget, gate=gate, asker=Nobody(), entry_url=f"{origin}/")
        self.tab.view.resize(800, 600)
        self.incidents: list[tuple[str, dict[str, str]]] = []
        self.visited: list[str] = []
        self.opened: list[str] = []
        for scheme in HANDED_OVER:  # the stub wants bytes, the method a str
            QDesktopServices.setUrlHandler(scheme, self, "open_elsewhere")  # type: ignore[arg-type]
        self.tab.incident.connect(lambda kind, facts: self.incidents.append((kind.value, facts)))
        self.tab.visited.connect(self._note_visit)
        self.keys = KeyGuard(self)
        self.keys.blocked.connect(lambda name: self.incidents.append((IncidentKind.KEY_BLOCKED.value, {"keys": name})))
        self.parent_widget.show()
        self._reader = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)
        self._reader.activated.connect(self._read)

    def _note_visit(self, address: str) -> None:
        self.visited.append(address)

    def _read(self) -> None:
        line = sys.stdin.readline()
        if not line:
            self.tab.dispose()
            QApplication.exit(0)
            return
        number, command, *arguments = json.loads(line)
        getattr(self, f"do_{command}")(partial(_say, number), *arguments)

    @Slot(QUrl)
    def open_elsewhere(self, url: QUrl) -> None:
        """Stand in for the program that the desktop would start."""
        self.opened.append(url.toString())

    def do_load(self, say: Say, url: str) -> None:
        """Load ``url`` by its address; says whether it arrived."""

        def done(ok: bool) -> None:
            self.tab.page.loadFinished.disconnect(done)
            self.tab.watch_keys(self.keys)
            say(ok)

        self.tab.page.loadFinished.connect(done)
        self.tab.page.load(QUrl(url))

    def do_js(self, say: Say, code: str) -> None:
        """Run ``code`` in the page's own world; says its value."""
        self.tab.page.runJavaScript(code, 0, say)

    def do_click(self, say: Say, x: int, y: int, button: str, modifier: str) -> None:
        """Click at a place of the page."""
        target = self.tab.view.focusProxy()
        assert target is not None
        QTest.mouseClick(target, BUTTONS[button], MODIFIERS[modifier], QPoint(x, y))
        say(None)

    def do_key(self, say: Say, key: str, modifier: str) -> None:
        """Press a key."""
        target = self.tab.view.focusProxy()
        assert target is not None
        QTest.keyClick(target, Qt.Key[f"Key_{key}"], MODIFIERS[modifier])
        say(None)

    def do_reports(self, say: Say) -> None:
        """Say and forget incidents and addresses visited; the next refusal is told at once again."""
        self.tab.flush_reports()
        said = {"incidents": self.incidents, "visited": self.visited}
        self.incidents, self.visited = [], []
        say(said)

    def do_state(self, say: Say) -> None:
        """Say which windows there are, the page's address, and what was handed to other programs."""
        windows = [type(w).__name__ for w in QApplication.topLevelWidgets() if w.isVisible()]
        url = self.tab.page.url().toString()
        say({"windows": windows, "url": url, "opened": self.opened})

    def do_colours(self, say: Say) -> None:
        """Say which colours the page shows, each with its share in percent."""
        picture = self.tab.view.grab().toImage().scaled(80, 60)
        colours = Counter(picture.pixelColor(x, y).name() for x in range(80) for y in range(60))
        say({name: count // 48 for name, count in colours.most_common(20)})

    def do_clipboard(self, say: Say, text: str | None) -> None:
        """Say what the system's clipboard holds, after putting ``text`` there if that is given."""
        clipboard = QGuiApplication.clipboard()
        if text is not None:
            clipboard.blockSignals(True)  # as if another program had done it
            clipboard.setText(text)
            clipboard.blockSignals(False)
        say(clipboard.text())

    def do_picture(self, say: Say, path: str) -> None:
        """Save a picture of the page."""
        say(self.tab.view.grab().save(path))


def _take_away(name: str) -> None:
    if name == "interceptor":
        profile.Interceptor.interceptRequest = lambda *_: None  # type: ignore[method-assign]
    elif name == "navigation":
        page.ExamPage.acceptNavigationRequest = lambda *_: True  # type: ignore[method-assign]
    elif name == "windows":
        page.SETTINGS[QWebEngineSettings.WebAttribute.JavascriptCanOpenWindows] = True
        page.ExamPage.createWindow = lambda this, _type: this  # type: ignore[method-assign, assignment]
    elif name != "launch":
        flag = {"rule": "--host-resolver-rules", "route": "--proxy-"}[name]
        flags = re.findall(r'"[^"]*"', os.environ[engine.FLAGS_VARIABLE])
        os.environ[engine.FLAGS_VARIABLE] = " ".join(line for line in flags if not line.startswith(f'"{flag}'))


def _say(number: int, value: object) -> None:
    sys.stdout.write(json.dumps([number, value]) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run until standard input ends."""
    origin, allow, without = json.loads(sys.argv[1])
    application = QApplication(sys.argv if "launch" in without else sys.argv[:1])
    child = Child(origin, allow, without)
    _say(0, "ready")
    code = application.exec()
    child.parent_widget.deleteLater()
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The third fence alone: with our flags the engine can't even resolve another host, interceptor or not."""

import subprocess
import sys
from pathlib import Path

from tests.unit.shell_parts import site

PROGRAM = """
import os, re, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
if os.geteuid() == 0:
    os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
from app.shell import engine
from app.shell.route import Endpoint
from PySide6.QtCore import QTimer, QUrl
from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile
from PySide6.QtWidgets import QApplication
import shiboken6
app = QApplication(sys.argv[:1])
port = QUrl(sys.argv[1]).port()
engine.configure([Endpoint(scheme="http", host="127.0.0.1", port=port)], software_drawing=True)
flags = re.findall('"[^"]*"', os.environ[engine.FLAGS_VARIABLE])
os.environ[engine.FLAGS_VARIABLE] = " ".join(flag for flag in flags if not flag.startswith('"--proxy-'))
profile = QWebEngineProfile()
page = QWebEnginePage(profile)
todo = sys.argv[1:]
def load(_ok=None):
    if _ok is not None:
        print("yes" if _ok else "no", flush=True)
    if todo:
        page.load(QUrl(todo.pop(0)))
    else:
        app.exit(0)
page.loadFinished.connect(load)
QTimer.singleShot(60000, lambda: app.exit(3))
load()
code = app.exec()
shiboken6.delete(page)
shiboken6.delete(profile)
sys.exit(code)
"""


def test_only_the_hosts_of_the_exam_exist() -> None:
    with site() as served:
        port = served.server_address[1]
        addresses = [f"http://127.0.0.1:{port}/a", f"http://localhost:{port}/b", f"http://127.0.0.2:{port}/c"]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *addresses],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["yes", "no", "no"]
        assert not {"/b", "/c"} & set(served.seen)

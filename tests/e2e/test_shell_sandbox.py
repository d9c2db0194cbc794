"""Chromium's sandbox is really on for everybody but root: asked of the engine itself, as an ordinary user."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {sysconfig.get_path("purelib")!r}]
from app import launch
assert launch.prepare([]).sandbox
from app.shell import engine
engine.configure((), software_drawing=True)
from PySide6.QtCore import QTimer, QUrl
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication
application = QApplication(sys.argv[:1])
view = QWebEngineView()
def say(text):
    print(text)
    application.exit(0)
view.loadFinished.connect(lambda _: view.page().runJavaScript("document.body.innerText", 0, say))
view.load(QUrl("chrome://sandbox"))
QTimer.singleShot(30_000, lambda: application.exit(3))
sys.exit(application.exec())
"""


def _ordinary_user() -> list[str]:
    """Return the command that runs Python as somebody who is not root."""
    if os.geteuid() != 0:
        return [sys.executable]
    runuser, python = shutil.which("runuser", path="/sbin:/usr/sbin:/bin:/usr/bin"), "/usr/bin/python3"
    probe = [runuser or "false", "-u", "nobody", "--", python, "-c", "import sys; print(sys.version_info[:2])"]
    version = subprocess.run(probe, capture_output=True, text=True, check=False, cwd="/").stdout.strip()
    readable = subprocess.run([*probe[:4], "test", "-r", str(ROOT / "app")], check=False, cwd="/").returncode == 0
    if version != str(sys.version_info[:2]) or not readable:
        pytest.skip("needs more rights: another user with this version of Python who may read this checkout")
    return probe[:5]


def test_an_ordinary_user_is_adequately_sandboxed(tmp_path_factory: pytest.TempPathFactory) -> None:
    command = _ordinary_user()
    home = Path("/tmp") if os.geteuid() == 0 else tmp_path_factory.mktemp("home")  # noqa: S108  (nobody has none)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [*command, "-c", PROGRAM], env=environment, cwd="/", capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "You are adequately sandboxed." in done.stdout
    assert "Seccomp-BPF sandbox\tYes" in done.stdout

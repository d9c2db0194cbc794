"""The shell as a program of its own on a real X11 desktop with a window manager, other processes played.

What a candidate could try with keyboard, windows and environment is tried with the tools that do it.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.x11_state import keyboard_is_held, settle
from tests.unit.shell_parts import Site, site
from tests.xserver import Desktop, end, wait_for, x11_desktop

START_S = 60.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Shell:
    """A running shell and what it left behind."""

    desktop: Desktop
    served: Site
    process: "subprocess.Popen[bytes]"
    folder: Path

    def log(self, child: str) -> str:
        file = self.folder / f"log.{child}"
        return file.read_text() if file.exists() else ""

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def wait_for_exam(self) -> None:
        wait_for(lambda: "exam page loaded" in self.log("recorder") or self.process.poll() is not None, "exam", START_S)
        assert self.process.poll() is None, self.output()

    def key(self, *combination: str) -> None:
        self.desktop.run("xdotool", "key", *combination)

    def active(self) -> str:
        return self.desktop.active()

    def window(self) -> str:
        return self.desktop.run("xdotool", "search", "--onlyvisible", "--name", "^Fairlock$").split()[0]


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as made:
        yield made


@contextmanager
def shell(desktop: Desktop, folder: Path, environment: dict[str, str] | None = None, **given: Any) -> Iterator[Shell]:
    with site() as served, (folder / "output").open("wb") as output:
        children = {"origin": served.origin, "log": str(folder / "log"), **given.pop("children", {})}
        options = folder / "options.json"
        options.write_text(json.dumps({"children": children, "rehearse": True, **given}))
        inherited = {n: v for n, v in desktop.environment.items() if not n.startswith("QT")}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.shell_runner", str(options)],
            cwd=ROOT,
            env={**inherited, "FAIRLOCK_HOME": str(folder / "home"), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Shell(desktop=desktop, served=served, process=process, folder=folder)
        finally:
            end(process)


def _words(process: psutil.Process) -> list[str]:
    """Return the command of a process, none of one that has ended meanwhile."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _submit(running: Shell) -> None:
    """Click "Hand in" where the page shows it."""
    deadline = time.monotonic() + START_S
    while "/submit" not in running.served.seen and time.monotonic() < deadline:
        running.desktop.run("xdotool", "mousemove", "290", "372", "click", "1")
        time.sleep(0.3)
    assert "/submit" in running.served.seen


def test_an_exam_that_somebody_tries_to_leave(desktop: Desktop, tmp_path: Path) -> None:
    with desktop.program("xterm", "-T", "OTHER"), shell(desktop, tmp_path) as running:
        running.wait_for_exam()
        assert running.active() == "Fairlock"
        for combination in ("alt+Tab", "super", "alt+F4", "ctrl+alt+Delete", "Print"):
            running.key(combination)
        settle(desktop)
        assert running.active() == "Fairlock"
        wait_for(lambda: "'Alt+Tab'" in running.log("recorder"), "the blocked key in the journal")
        wait_for(lambda: "'Alt+F4'" in running.log("recorder"), "the blocked key in the journal")

        desktop.run("xdotool", "search", "--name", "^OTHER$", "windowactivate")
        wait_for(lambda: "focus_lost" in running.log("recorder"), "the report of the lost focus")
        wait_for(lambda: running.active() == "Fairlock", "the focus to be back")

        window = running.window()
        desktop.run("xdotool", "windowminimize", window)
        settle(desktop)
        wait_for(lambda: window in desktop.shown("Fairlock"), "the window")
        wait_for(lambda: running.active() == "Fairlock", "the focus to be back")
        wait_for(lambda: keyboard_is_held(desktop), "the keyboard, which no window holds that is not there")
        running.key("alt+Tab")
        settle(desktop)
        assert running.active() == "Fairlock"
        geometry = desktop.run("xdotool", "getwindowgeometry", window)
        assert "1280x800" in geometry

        _submit(running)
        assert running.process.wait(60) == 0, running.output()
        recorder = running.log("recorder")
        assert "Finish(reason='submit')" in recorder
        assert "CookieSeen(value='token-1')" in recorder
        assert "Release()" in running.log("guard")
        assert "kiosk" not in recorder.partition("capability_missing")[2][:200]


def test_nothing_from_outside_gets_into_the_engine(desktop: Desktop, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "sitecustomize.py").write_text("import os; os.environ['EVIL'] = '1'")
    environment = {
        "QTWEBENGINE_REMOTE_DEBUGGING": str(port),
        "QTWEBENGINE_CHROMIUM_FLAGS": f"--remote-debugging-port={port}",
        "QT_QPA_PLATFORM": "vnc",
        "PYTHONPATH": str(tmp_path / "evil"),
        "LD_LIBRARY_PATH": str(tmp_path / "evil"),
        "SSLKEYLOGFILE": str(tmp_path / "keys"),
    }
    with shell(desktop, tmp_path, environment) as running:
        running.wait_for_exam()
        with socket.socket() as attempt:
            assert attempt.connect_ex(("127.0.0.1", port)) != 0
        family = psutil.Process(running.process.pid).children(recursive=True)
        assert not [child for child in family if "remote-debugging" in " ".join(_words(child))]
        started = dict(
            line.split("=", 1)
            for line in Path(f"/proc/{running.process.pid}/environ").read_text().split("\0")
            if "=" in line
        )
        assert not {"PYTHONPATH", "LD_LIBRARY_PATH", "QTWEBENGINE_REMOTE_DEBUGGING"} & set(started)
        assert "PYTHONPATH" not in running.output()
        wait_for(lambda: "QTWEBENGINE_REMOTE_DEBUGGING" in running.log("recorder"), "the journal's note of it")
        assert not (tmp_path / "keys").exists()


def test_the_recorder_dies_and_the_exam_goes_on(desktop: Desktop, tmp_path: Path) -> None:
    with shell(desktop, tmp_path, children={"die": "cookie"}) as running:
        wait_for(lambda: "component_restarted" in running.log("recorder"), "the new recorder", START_S)
        _submit(running)
        assert running.process.wait(60) == 0, running.output()


def test_only_one_at_a_time(desktop: Desktop, tmp_path: Path) -> None:
    with shell(desktop, tmp_path) as running:
        wait_for(lambda: "StateIs" in running.log("recorder"), "the first", START_S)
        second = tmp_path / "second"
        second.mkdir()
        with shell(desktop, second, {"FAIRLOCK_HOME": str(tmp_path / "home")}) as other:
            assert other.process.wait(START_S) == 1
            assert "E-ALREADY-RUNNING" in other.output()


def test_a_refused_link_ends_with_a_sentence_and_a_code(desktop: Desktop, tmp_path: Path) -> None:
    with shell(desktop, tmp_path, children={"refuse": "E-INVITE-USED"}, screenshots=str(tmp_path / "shots")) as running:
        assert running.process.wait(60) == 1, running.output()
        assert not (tmp_path / "shots").exists(), "no policy said that it is a demonstration"


def test_being_asked_to_end_unlocks_and_sends(desktop: Desktop, tmp_path: Path) -> None:
    with shell(desktop, tmp_path) as running:
        running.wait_for_exam()
        os.kill(running.process.pid, 15)
        assert running.process.wait(60) == 1, running.output()
        assert "Release()" in running.log("guard")
        assert "Finish(reason='fatal')" in running.log("recorder")

"""The exam window on a real X11 desktop: typing while the keyboard is held, thieves of the keyboard, sent events,
overlays that the guard's watch puts behind it, drags from elsewhere.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.clock import SystemClock
from app.contract.policy import Capability
from lockdown import select
from lockdown.capabilities import Finding
from lockdown.processes import PsutilTable, is_descendant
from tests.e2e.x11_state import keyboard_is_held, settle
from tests.xserver import Desktop, end, wait_for, x11_desktop

if select.system() != "linux":
    pytest.skip("X11 is a desktop of Linux", allow_module_level=True)

from Xlib import X
from Xlib.protocol import event

from lockdown.linux_x11.overlays import OverlayWatch
from lockdown.linux_x11.restack import put_behind
from lockdown.linux_x11.server import XServer
from lockdown.linux_x11.stacking import Stack

ROOT = Path(__file__).parents[2]
START_S = 60.0


class Window:
    """The exam window's process, and what it said."""

    def __init__(self, desktop: Desktop) -> None:
        inherited = {n: v for n, v in desktop.environment.items() if not n.startswith("QT")}
        flags = {"QT_QPA_PLATFORM": "xcb", "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu"}
        sandbox = {"QTWEBENGINE_DISABLE_SANDBOX": "1"} if os.geteuid() == 0 else {}
        self.desktop = desktop
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.kiosk_window"],
            cwd=ROOT,
            env={**inherited, **flags, **sandbox},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.said: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, name="window-output")
        self._reader.start()
        wait_for(lambda: self.of("engaged"), "the exam window", START_S)

    def of(self, key: str) -> list[Any]:
        return [line[key] for line in self.said if key in line]

    def losses(self, what: str) -> list[dict[str, str]]:
        return [line["facts"] for line in self.said if line.get("lost") == what]

    def ask(self, command: str, key: str) -> Any:
        before = len(self.of(key))
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()
        wait_for(lambda: len(self.of(key)) > before, command)
        return self.of(key)[before]

    def typed(self) -> str:
        return str(self.ask("text", "text"))

    def number(self) -> int:
        """The exam's window, as the window manager knows it."""
        return int(self.desktop.run("xdotool", "search", "--onlyvisible", "--name", "^Fairlock$").split()[0])

    def close(self) -> None:
        end(self.process)
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as made:
        yield made


@pytest.fixture(scope="module")
def shared(desktop: Desktop) -> Iterator[Window]:
    made = Window(desktop)
    yield made
    made.close()


@pytest.fixture
def window(shared: Window) -> Window:
    shared.said[:] = [line for line in shared.said if "engaged" in line]
    assert shared.process.poll() is None
    wait_for(lambda: keyboard_is_held(shared.desktop), "the keyboard to be held")
    return shared


@contextmanager
def another(desktop: Desktop, what: str, *given: int) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.x11_client", what, *map(str, given)],
        env=desktop.environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        end(process)


def test_the_candidate_types_while_the_keyboard_is_held(window: Window) -> None:
    assert window.of("engaged") == [[Capability.INPUT_GUARD, Capability.KIOSK]]
    window.desktop.run("xdotool", "type", "--delay", "5", "The variance, 3")
    wait_for(lambda: window.typed() == "The variance, 3", "the typed text")
    window.desktop.run("xdotool", "key", "alt+Tab", "Print", "super+d")
    wait_for(lambda: {"Alt+Tab", "Print"} <= set(window.of("blocked")), "the blocked keys")
    assert window.typed() == "The variance, 3"


def test_a_keyboard_that_another_program_took_is_taken_back_and_timed(window: Window) -> None:
    desktop = window.desktop
    with another(desktop, "steal_keyboard") as thief:
        assert thief.stdout is not None
        assert thief.stdout.readline() == b"ready\n"
        # An unmapped window can't hold the keyboard: the moment that a thief waits for.
        desktop.run("xdotool", "windowminimize", str(window.number()))
        wait_for(lambda: window.losses("keyboard"), "the report that it is taken")
        assert "duration_ms" not in window.losses("keyboard")[0]
    wait_for(lambda: "duration_ms" in window.losses("keyboard")[-1], "the report that it is back")
    assert int(window.losses("keyboard")[-1]["duration_ms"]) >= 1000
    assert keyboard_is_held(window.desktop)


def test_a_window_that_is_minimised_again_and_again_comes_back_each_time(window: Window) -> None:
    number = str(window.number())
    for _ in range(40):
        window.desktop.run("xdotool", "windowminimize", number)
    settle(window.desktop)
    wait_for(lambda: "IsViewable" in window.desktop.run("xwininfo", "-id", number), "the window")
    wait_for(lambda: keyboard_is_held(window.desktop), "the keyboard to be held")


def test_the_focus_comes_back_and_how_long_it_was_away_is_told(window: Window) -> None:
    with window.desktop.program("xterm", "-T", "OTHER"):
        wait_for(lambda: window.losses("focus"), "the report of the focus")
    assert int(window.losses("focus")[0]["duration_ms"]) >= 0
    wait_for(lambda: window.desktop.active() == "Fairlock", "the exam in front")


@pytest.mark.parametrize("what", ["unmanaged", "click_through", "translucent"])
def test_an_overlay_is_found_and_the_exam_is_seen_again(window: Window, tmp_path: Path, what: str) -> None:
    server, table = XServer(window.desktop.display), PsutilTable()
    found: list[Finding] = []
    watch = OverlayWatch(
        server,
        table,
        SystemClock(),
        lambda pid: is_descendant(pid, window.process.pid, table),
        is_helper=lambda _program: False,
        put_behind=lambda over, program: put_behind(server, over, program),
    )
    try:
        assert list(watch.observe()) == []
        with another(window.desktop, what) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == b"ready\n"
            window.ask(f"shot {tmp_path}/{what}-over.png", "shot")

            def look() -> bool:
                found.extend(watch.observe())
                return bool(found)

            wait_for(look, "the overlay")
            wait_for(lambda: not watch._stack.over_own(), "the exam to be on top")
            window.ask(f"shot {tmp_path}/{what}-behind.png", "shot")
    finally:
        server.close()
    assert found[0].facts["pid"] == str(program.pid)


def test_a_window_that_asks_to_lie_above_all_others_does_not_lie_over_the_exam(window: Window) -> None:
    server, own = XServer(window.desktop.display), window.process.pid
    stack = Stack(server, lambda pid: is_descendant(pid, own, PsutilTable()))
    try:
        with another(window.desktop, "hidden_from_taskbar") as program:
            assert program.stdout is not None
            assert program.stdout.readline() == b"ready\n"
            wait_for(lambda: not stack.over_own(), "the exam to be on top")
    finally:
        server.close()


def test_keys_sent_to_the_window_by_a_program_are_not_typed(window: Window) -> None:
    before = window.typed()
    server = XServer(window.desktop.display)
    try:
        target = server.window(window.number())
        for kind in (event.KeyPress, event.KeyRelease):
            target.send_event(
                kind(
                    time=X.CurrentTime, root=server.root, window=target, same_screen=1, child=X.NONE,
                    root_x=0, root_y=0, event_x=0, event_y=0, state=0, detail=38,
                )
            )  # fmt: skip
        server.display.sync()
        window.desktop.run("xdotool", "key", "b")
        wait_for(lambda: window.typed() != before, "the typed key")
    finally:
        server.close()
    assert window.typed() == f"{before}b"
    assert window.of("sent") == ["keys", "keys"]


def test_what_another_program_drags_over_the_exam_is_refused(window: Window) -> None:
    server = XServer(window.desktop.display)
    try:
        atom = server.display.get_atom
        source = server.root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        source.set_selection_owner(atom("XdndSelection"), X.CurrentTime)
        target = server.window(window.number())
        for name, data in (
            ("XdndEnter", [source.id, 5 << 24, atom("text/plain"), 0, 0]),
            ("XdndPosition", [source.id, 0, (300 << 16) | 300, X.CurrentTime, atom("XdndActionCopy")]),
        ):
            message = event.ClientMessage(window=target, client_type=atom(name), data=(32, data))
            target.send_event(message)
        server.display.sync()
        answers: list[int] = []

        def is_answered() -> bool:
            while server.display.pending_events():
                said = server.display.next_event()
                if said.type == X.ClientMessage and said.client_type == atom("XdndStatus"):
                    answers.append(said.data[1][1])
            return bool(answers)

        wait_for(is_answered, "the answer to the drag")
    finally:
        server.close()
    assert [answer & 1 for answer in answers] == [0]


def test_keys_by_agreement_reach_the_desktop(window: Window) -> None:
    window.ask("free Alt+Meta+S", "free")
    wait_for(lambda: not keyboard_is_held(window.desktop), "the keyboard to be free")
    assert window.ask("missing", "missing") == {}
    window.ask("free", "free")
    wait_for(lambda: keyboard_is_held(window.desktop), "the keyboard to be held again")


def test_release_gives_the_keyboard_back(window: Window) -> None:
    assert window.ask("release", "released") == []
    wait_for(lambda: not keyboard_is_held(window.desktop), "the keyboard to be free")

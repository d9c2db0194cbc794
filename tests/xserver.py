"""A real X server without a screen, and a window manager on it, for tests of what happens on an X11 desktop."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from app.launch import BUS, NO_BUS

DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Desktop:
    """An X11 desktop; ``display`` is its name, such as ":99"."""

    display: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program that runs on it."""
        kept = {name: value for name, value in os.environ.items() if name not in ("WAYLAND_DISPLAY", "XAUTHORITY")}
        # Without a message bus, as the application itself sees to (app.launch.start_no_bus): none is left running.
        return {BUS: NO_BUS, **kept, "DISPLAY": self.display, "XDG_SESSION_TYPE": "x11"}

    def run(self, *command: str) -> str:
        """Run ``command`` on it to its end and return what it wrote."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=DEADLINE_S, check=True
        )
        return done.stdout

    def active(self) -> str:
        """Return the title of the window that is in front, nothing while the window manager has none there."""
        return self._ask("xdotool", "getactivewindow", "getwindowname")

    def shown(self, title: str) -> list[str]:
        """Return the ids of the windows called ``title`` that are shown, nothing while none is."""
        return self._ask("xdotool", "search", "--onlyvisible", "--name", f"^{title}$").split()

    def _ask(self, *command: str) -> str:
        """Return what ``command`` wrote; that it found nothing is an answer as well."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
        return done.stdout.strip()

    @contextmanager
    def program(self, *command: str) -> "Iterator[subprocess.Popen[bytes]]":
        """Run ``command`` on it for the duration of the block."""
        process = subprocess.Popen(
            command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            end(process)


@contextmanager
def x11_desktop(size: str = "1280x800x24") -> Iterator[Desktop]:
    """Start Xvfb on a free display and openbox on it; skips where they are not installed."""
    for program in ("Xvfb", "openbox"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            desktop = Desktop(display=f":{numbers.readline().strip()}")
        with desktop.program("openbox"):
            wait_for(lambda: "_NET_SUPPORTING_WM_CHECK(WINDOW)" in desktop.run("xprop", "-root"), "the window manager")
            yield desktop
    finally:
        end(server)


def wait_for(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until ``condition`` holds; fails the test after ``deadline_s`` seconds."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {deadline_s:g} s in vain for {what}")
        time.sleep(0.02)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End ``process`` and reap it."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()

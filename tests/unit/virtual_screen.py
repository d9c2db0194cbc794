"""An X server of the test's own, and a window to change what it shows."""

import contextlib
import importlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

WIDTH, HEIGHT = 802, 600


@dataclass
class VirtualScreen:
    """A display by name; ``paint`` fills it with a colour, ``end`` takes the server away."""

    name: str
    server: "subprocess.Popen[bytes]"

    def paint(self, red: int, green: int, blue: int) -> None:
        display: Any = importlib.import_module("Xlib.display").Display(self.name)
        root = display.screen().root
        root.change_attributes(background_pixel=red << 16 | green << 8 | blue)
        root.clear_area()
        display.sync()
        display.close()

    def fill(self, left: int, width: int, colour: tuple[int, int, int]) -> None:
        """Draw a rectangle of full height straight onto the screen."""
        display: Any = importlib.import_module("Xlib.display").Display(self.name)
        root = display.screen().root
        red, green, blue = colour
        pen = root.create_gc(foreground=red << 16 | green << 8 | blue)
        root.fill_rectangle(pen, left, 0, width, HEIGHT)
        display.sync()
        display.close()

    def xrandr(self, *arguments: str) -> None:
        """Change the displays; what the driver does not say yes to may have happened all the same."""
        if shutil.which("xrandr") is None:
            pytest.skip("xrandr is not installed (Debian package x11-xserver-utils)")
        subprocess.run(
            ["xrandr", *arguments], env={**os.environ, "DISPLAY": self.name}, capture_output=True, check=False
        )

    def end(self) -> None:
        self.server.terminate()
        self.server.wait(20)


@contextlib.contextmanager
def virtual_screen(size: str = f"{WIDTH}x{HEIGHT}x24") -> Iterator[VirtualScreen]:
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (Debian package xvfb)")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as numbers:
        number = numbers.readline().strip()
    screen = VirtualScreen(name=f":{number}", server=server)
    try:
        yield screen
    finally:
        screen.end()

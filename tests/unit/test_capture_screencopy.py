"""The screen of a compositor, from a scripted one: what it may say, in which forms, and how it may fail.

The real compositor is in ``tests/e2e/test_kiosk_session.py``.
"""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.errors import Unsupported
from capture.screen import open_screen
from capture.screen.screencopy import CopiedScreen, Screencopy
from capture.sources import SourceLost

WIDTH, HEIGHT, STRIDE = 6, 4, 32
BLUE_FIRST, RED_FIRST, UNKNOWN = 1, 0x34324258, 0x38385247
GLOBALS = ("wl_shm", "zwlr_screencopy_manager_v1", "wl_output")


class Compositor:
    """Speaks as much Wayland as is asked of it. ``pixel`` is what every point shows but the first, which is white."""

    def __init__(self, path: Path) -> None:
        self.offers: tuple[str, ...] = GLOBALS
        self.form, self.transform, self.flags = BLUE_FIRST, 0, 0
        self.pixel = (10, 20, 30)
        self.dot = 0
        self.fails = self.is_rude = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Go away."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                if self.is_rude:
                    connection.sendall(b"\0" * 64)
                    while connection.recv(4096):  # until the client has hung up
                        pass
                else:
                    with suppress(ConnectionError):  # who has what it came for hangs up
                        _Client(self, connection).talk()


class _Client:
    def __init__(self, of: Compositor, connection: socket.socket) -> None:
        self._of = of
        self._connection = connection
        self._kinds = {1: "display"}
        self._file = -1
        self._registry = 0

    def talk(self) -> None:
        received = b""
        while True:
            data, files, _, _ = socket.recv_fds(self._connection, 4096, 4)
            self._file = files[0] if files else self._file
            if not data:
                return
            received += data
            while len(received) >= 8:
                number, word = struct.unpack_from("=II", received)
                size = word >> 16
                if len(received) < size:
                    break
                self._request(number, word & 0xFFFF, received[8:size])
                received = received[size:]

    def _say(self, number: int, opcode: int, *words: int) -> None:
        self._connection.sendall(struct.pack("=II", number, (8 + 4 * len(words)) << 16 | opcode))
        self._connection.sendall(struct.pack(f"={len(words)}I", *words))

    def _request(self, number: int, opcode: int, arguments: bytes) -> None:
        words = struct.unpack(f"={len(arguments) // 4}I", arguments)
        kind = self._kinds.get(number, "")
        if kind == "display" and opcode == 1:
            self._registry = words[0]
            self._kinds[words[0]] = "registry"
            for name, interface in enumerate(self._of.offers):
                text = interface.encode() + b"\0"
                body = struct.pack("=II", name, len(text)) + text.ljust(-(-len(text) // 4) * 4, b"\0")
                body += struct.pack("=I", 1)
                head = struct.pack("=II", words[0], (8 + len(body)) << 16)
                self._connection.sendall(head + body)
        elif kind == "display":
            self._say(words[0], 0, 0)
        elif kind == "registry":
            self._kinds[words[-1]] = self._of.offers[words[0]]
            if self._of.offers[words[0]] == "wl_output":
                self._say(words[-1], 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, self._of.transform)
        elif kind == "zwlr_screencopy_manager_v1":
            self._kinds[words[0]] = "frame"
            self._say(words[0], 0, self._of.form, WIDTH, HEIGHT, STRIDE)
        elif kind == "frame" and opcode == 0:
            self._paint()
            self._say(number, 1, self._of.flags)
            self._say(number, 3) if self._of.fails else self._say(number, 2, 0, 0, 0)

    def _paint(self) -> None:
        picture = np.zeros((HEIGHT, STRIDE), np.uint8)
        picture[:, : WIDTH * 4] = np.tile([*self._of.pixel, 0], WIDTH)
        picture[0, :4] = 255
        picture[-1, WIDTH * 4 - 2] += self._of.dot  # one colour of the last pixel
        with os.fdopen(self._file, "wb") as file:
            file.write(picture.tobytes())


@pytest.fixture
def compositor(tmp_path: Path) -> Iterator[Compositor]:
    made = Compositor(tmp_path / "wayland-0")
    yield made
    made.end()


@contextmanager
def _copies(tmp_path: Path) -> Iterator[Screencopy]:
    copies = Screencopy(tmp_path / "wayland-0")
    try:
        yield copies
    finally:
        copies.close()


def _corner(picture: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> tuple[int, int]:
    row, column = np.argwhere(picture[:, :, 0] == 255)[0]
    return int(row), int(column)


@pytest.mark.parametrize(("form", "blue_green_red"), [(BLUE_FIRST, [10, 20, 30]), (RED_FIRST, [30, 20, 10])])
def test_colours_come_in_one_order(
    form: int, blue_green_red: list[int], compositor: Compositor, tmp_path: Path
) -> None:
    compositor.form = form
    with _copies(tmp_path) as copies:
        picture = copies.picture()
    assert picture.shape == (HEIGHT, WIDTH, 4)
    assert picture[2, 3, :3].tolist() == blue_green_red


@pytest.mark.parametrize(
    ("transform", "flags", "shape", "corner"),
    [
        (0, 0, (HEIGHT, WIDTH), (0, 0)),
        (0, 1, (HEIGHT, WIDTH), (HEIGHT - 1, 0)),
        (1, 0, (WIDTH, HEIGHT), (0, HEIGHT - 1)),
        (2, 0, (HEIGHT, WIDTH), (HEIGHT - 1, WIDTH - 1)),
        (3, 0, (WIDTH, HEIGHT), (WIDTH - 1, 0)),
        (4, 0, (HEIGHT, WIDTH), (0, WIDTH - 1)),
    ],
    ids=["as it is", "rows upwards", "quarter turn", "upside down", "three quarters", "mirrored"],
)
def test_a_turned_display_is_seen_upright(
    transform: int,
    flags: int,
    shape: tuple[int, int],
    corner: tuple[int, int],
    compositor: Compositor,
    tmp_path: Path,
) -> None:
    compositor.transform, compositor.flags = transform, flags
    with _copies(tmp_path) as copies:
        picture = copies.picture()
    assert (picture.shape[:2], _corner(picture)) == (shape, corner)


def test_all_displays_are_one_picture(compositor: Compositor, tmp_path: Path) -> None:
    compositor.offers = (*GLOBALS, "wl_output")
    with _copies(tmp_path) as copies:
        assert copies.picture().shape == (HEIGHT, 2 * WIDTH, 4)


def test_the_screen_is_a_source(compositor: Compositor, tmp_path: Path) -> None:
    environment = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path), "DISPLAY": ":99"}
    screen = open_screen(5, ManualClock(), environment)
    screen.open()
    assert (screen.width, screen.height) == (WIDTH, HEIGHT)
    first, second = screen.read(), screen.read()
    assert (first.unchanged, second.unchanged, second.image is first.image) == (False, True, True)
    compositor.pixel = (1, 2, 3)
    third = screen.read()
    assert (third.unchanged, third.image[3, 3].tolist(), first.image[3, 3].tolist()) == (False, [1, 2, 3], [10, 20, 30])
    compositor.dot = 1
    assert [screen.read().unchanged for _ in range(2)] == [False, True]
    screen.close()
    with pytest.raises(SourceLost):
        screen.read()


def _set(**values: object) -> Callable[[Compositor], None]:
    def change(compositor: Compositor) -> None:
        for name, value in values.items():
            setattr(compositor, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Compositor.end, "can't be reached"),
        (_set(offers=("wl_shm", "wl_output")), "zwlr_screencopy_manager_v1"),
        (_set(offers=("wl_shm", "zwlr_screencopy_manager_v1")), "no display"),
        (_set(form=UNKNOWN), "a form that is not known"),
        (_set(fails=True), "gave no picture"),
        (_set(is_rude=True), "another language"),
    ],
)
def test_what_gives_no_picture_is_refused_with_its_reason(
    change: Callable[[Compositor], None], why: str, compositor: Compositor, tmp_path: Path
) -> None:
    if change is Compositor.end:
        (tmp_path / "wayland-0").unlink()
    change(compositor)
    with pytest.raises(Unsupported, match=why) as refused:
        CopiedScreen(5, ManualClock(), path=tmp_path / "wayland-0").open()
    assert refused.value.code == "E-SCREEN-UNSUPPORTED"

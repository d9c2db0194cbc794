"""The whole screen as a wlroots compositor shows it, through ``wlr-screencopy``: what the person sees, X11 or not.

Read by the screen's reader thread. All displays come as one picture, side by side in the order in which the compositor
names them; when displays come or go, the pictures have another size from then on. A ``Frame``'s image is a copy of its
own: the memory that the compositor writes to is used again.
"""

import mmap
import struct
import tempfile
from pathlib import Path

import numpy as np

from app.contract.incidents import Track
from app.contract.times import Clock
from capture import refusals
from capture.frames import Frame
from capture.pace import Pacer
from capture.pictures import Picture
from capture.screen.composed import recordable
from capture.screen.wayland import Connection
from capture.sources import Origin, SourceLost

MANAGER, SHM, OUTPUT = "zwlr_screencopy_manager_v1", "wl_shm", "wl_output"
_CAPTURE_OUTPUT, _COPY, _DESTROY_FRAME = 0, 0, 1
_CREATE_POOL, _CREATE_BUFFER, _DESTROY_POOL, _DESTROY_BUFFER = 0, 0, 1, 0
_BUFFER, _FLAGS, _READY, _FAILED = 0, 1, 2, 3
_GEOMETRY = 0
_UPSIDE_DOWN = 1
_BLUE_FIRST = frozenset({0, 1})  # ARGB8888 and XRGB8888 as wl_shm numbers them: B, G, R, x in memory
_RED_FIRST = frozenset({0x34324241, 0x34324258})  # ABGR8888 and XBGR8888: R, G, B, x in memory


class Screencopy:
    """Asks the compositor at ``path`` for pictures. Raises ``SourceLost``, also where the protocol is missing."""

    def __init__(self, path: Path) -> None:
        self._connection = Connection(path)
        try:
            self._manager = self._bind(MANAGER)
            self._shm = self._bind(SHM)
        except SourceLost:
            self._connection.close()
            raise
        self._outputs: dict[int, _Output] = {}

    def close(self) -> None:
        """Let go; twice is fine."""
        self._connection.close()

    def picture(self) -> Picture:
        """Return all displays as they are now, H×W×4 with blue first, in memory of its own."""
        pictures = [
            _upright(_one(self._connection, self._manager, self._shm, output.number), output.transform)
            for output in self._displays()
        ]
        if not pictures:
            raise SourceLost("the compositor has no display")
        if len(pictures) == 1:
            return pictures[0]
        rows = max(picture.shape[0] for picture in pictures)
        padded = [np.pad(p, ((0, rows - p.shape[0]), (0, 0), (0, 0))) for p in pictures]
        return np.concatenate(padded, axis=1)

    def _bind(self, interface: str) -> int:
        for name, offered in self._connection.globals.items():
            if offered == interface:
                return self._connection.bind(name, 1)
        raise SourceLost(f"the compositor does not offer {interface}")

    def _displays(self) -> "list[_Output]":
        """Return the outputs there are now; they come and go with their plugs."""
        self._connection.wait_all()
        named = [name for name, interface in self._connection.globals.items() if interface == OUTPUT]
        fresh = [name for name in named if name not in self._outputs]
        self._outputs = {name: self._outputs.get(name) or _Output(self._connection, name) for name in named}
        if fresh:
            self._connection.wait_all()  # for their geometry
        return list(self._outputs.values())


class CopiedScreen:
    """The screen as a source; ``path`` is the compositor's socket."""

    track = Track.SCREEN
    origin = Origin.DEVICE
    name = "screen"

    def __init__(self, fps: int, clock: Clock, *, path: Path) -> None:
        self.width, self.height = 0, 0
        self._path = path
        self._pacer = Pacer(fps, clock, skip_late=True)
        self._copies: Screencopy | None = None
        self._last: Picture | None = None
        self._image: Picture | None = None
        self._seq = 0

    def open(self) -> None:
        """Take one picture; raises ``Unsupported`` (E-SCREEN-UNSUPPORTED)."""
        self.close()
        try:
            self._copies = Screencopy(self._path)
            self._view(self._copies.picture())
        except SourceLost as error:
            self.close()
            raise refusals.no_screen(
                f"this is a Wayland desktop that lets no program see other windows ({error})",
                "Sign out, choose an X11 (Xorg) session on the sign-in screen, and start again.",
            ) from error
        self._pacer.restart()

    def read(self) -> Frame:
        """Return the screen at the next tick; ``unchanged`` when every pixel is as before."""
        if self._copies is None:
            raise SourceLost("the screen is not open")
        at = self._pacer.wait()
        taken = self._copies.picture()
        # As pixels, not as bytes: half the work.
        unchanged = self._last is not None and np.array_equal(taken.view(np.uint32), self._last.view(np.uint32))
        if not unchanged or self._image is None:
            self._last, self._image = taken, self._view(taken)
        frame = Frame(source=self.track, seq=self._seq, at=at, image=self._image, unchanged=unchanged)
        self._seq += 1
        return frame

    def close(self) -> None:
        """Let go of the compositor."""
        copies, self._copies = self._copies, None
        self._last = self._image = None
        if copies is not None:
            copies.close()

    def _view(self, taken: Picture) -> Picture:
        image = recordable(taken[:, :, :3])
        self.height, self.width = image.shape[:2]
        return image


class _Output:
    """One display, and how it is turned (``wl_output.transform``: quarter turns, from 4 on mirrored first)."""

    def __init__(self, connection: Connection, name: int) -> None:
        self.transform = 0
        self.number = connection.bind(name, 1, self._event)

    def _event(self, opcode: int, arguments: bytes) -> None:
        if opcode == _GEOMETRY:  # five numbers, two texts, then the transform
            self.transform = int(struct.unpack_from("=i", arguments, len(arguments) - 4)[0])


class _Copy:
    """What the compositor says of one copy."""

    def __init__(self) -> None:
        self.form: tuple[int, int, int, int] | None = None
        self.upside_down = False
        self.done = False
        self.failed = False

    def event(self, opcode: int, arguments: bytes) -> None:
        """Take one event of the frame object."""
        if opcode == _BUFFER:
            self.form = struct.unpack("=IIII", arguments)
        elif opcode == _FLAGS:
            self.upside_down = bool(struct.unpack("=I", arguments)[0] & _UPSIDE_DOWN)
        elif opcode in (_READY, _FAILED):
            self.done, self.failed = True, opcode == _FAILED


def _one(connection: Connection, manager: int, shm: int, output: int) -> Picture:
    """Copy one display, without the pointer being left out: an examiner sees what the candidate saw."""
    copy = _Copy()
    frame = connection.new(copy.event)
    connection.send(manager, _CAPTURE_OUTPUT, frame, 1, output)
    connection.wait_for(lambda: copy.form is not None or copy.done)
    try:
        if copy.form is None:
            raise SourceLost("the compositor gave no picture")
        return _into_memory(connection, shm, frame, copy, copy.form)
    finally:
        connection.send(frame, _DESTROY_FRAME)
        connection.forget(frame)


def _into_memory(connection: Connection, shm: int, frame: int, copy: _Copy, form: tuple[int, int, int, int]) -> Picture:
    code, width, height, stride = form
    if code not in _BLUE_FIRST | _RED_FIRST or stride < width * 4:
        raise SourceLost(f"the compositor's pictures have a form that is not known here ({code:#x})")
    size = stride * height
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        pool = connection.new(_ignore)
        buffer = connection.new(_ignore)
        connection.send(shm, _CREATE_POOL, pool, size, descriptors=[file.fileno()])
        connection.send(pool, _CREATE_BUFFER, buffer, 0, width, height, stride, code)
        connection.send(pool, _DESTROY_POOL)
        connection.send(frame, _COPY, buffer)
        connection.wait_for(lambda: copy.done)
        connection.send(buffer, _DESTROY_BUFFER)
        connection.forget(pool)
        connection.forget(buffer)
        if copy.failed:
            raise SourceLost("the compositor gave no picture")
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as memory:
            rows = np.frombuffer(memory, np.uint8).reshape(height, stride)[:, : width * 4]
            pixels = rows.reshape(height, width, 4)[:: -1 if copy.upside_down else 1]
            taken = np.array(pixels[:, :, [2, 1, 0, 3]] if code in _RED_FIRST else pixels, order="C")
            del rows, pixels
    return taken


def _upright(taken: Picture, transform: int) -> Picture:
    """Turn a picture from how the display hangs to how the person sees it."""
    if not transform:
        return taken
    turned = np.rot90(taken, k=-(transform & 3))
    return np.ascontiguousarray(turned[:, ::-1] if transform & 4 else turned)


def _ignore(_opcode: int, _arguments: bytes) -> None:
    """No event of this object matters."""

"""The whole screen through mss: shared memory on X11, GDI on Windows, Core Graphics on macOS.

Read by the screen's reader thread. All displays come as one picture, as large as the box around them; when displays
come or go, the pictures have another size from then on. Pixels are not copied (but for desktops larger than 4K, which
are scaled): a ``Frame``'s image is a view on what mss returned.
"""

import contextlib
import threading

import mss
import numpy as np
from mss.exception import ScreenShotError

from app.contract.incidents import Track
from app.contract.times import Clock
from capture import refusals
from capture.frames import Frame
from capture.pace import Pacer
from capture.pictures import Picture
from capture.screen.composed import recordable
from capture.sources import Origin, SourceLost

_CHECK_DISPLAYS_EVERY_S = 2
"""mss looks for displays only when it is made, which takes 2 ms."""


class GrabbedScreen:
    """The screen as a source; ``display`` names an X11 display, ``None`` takes the system's."""

    track = Track.SCREEN
    origin = Origin.DEVICE

    def __init__(self, fps: int, clock: Clock, *, display: str | None = None) -> None:
        self.name = f"screen {display}" if display else "screen"
        self.width, self.height = 0, 0
        self._display = display
        self._pacer = Pacer(fps, clock, skip_late=True)
        self._recheck = fps * _CHECK_DISPLAYS_EVERY_S
        self._grabs = 0
        self._grabber: mss.MSS | None = None
        self._thread = 0
        self._raw: bytes | bytearray = b""
        self._image: Picture | None = None
        self._seq = 0
        self._open = False

    def open(self) -> None:
        """Take one picture; raises ``Unsupported`` (E-SCREEN-UNSUPPORTED)."""
        self.close()
        try:
            self._view(self._grab())
        except SourceLost as error:
            raise refusals.no_screen(str(error), "Start Fairlock from a graphical desktop.") from error
        self._open = True
        self._pacer.restart()

    def read(self) -> Frame:
        """Return the screen at the next tick; ``unchanged`` when every pixel is as before."""
        if not self._open:
            raise SourceLost("the screen is not open")
        at = self._pacer.wait()
        shot = self._grab()
        unchanged = self._image is not None and shot.raw == self._raw
        if not unchanged or self._image is None:
            self._raw, self._image = shot.raw, self._view(shot)
        frame = Frame(source=self.track, seq=self._seq, at=at, image=self._image, unchanged=unchanged)
        self._seq += 1
        return frame

    def close(self) -> None:
        """Let go of the display."""
        self._open, self._image, self._raw = False, None, b""
        self._let_go()

    def _let_go(self) -> None:
        grabber, self._grabber = self._grabber, None
        if grabber is not None:
            # The display may be gone, and with it what would be closed.
            with contextlib.suppress(ScreenShotError):
                grabber.close()

    def _grab(self) -> mss.ScreenShot:
        """Grab; a display that went is no reason to lose the others, so what fails is tried once with a fresh look."""
        try:
            return self._grab_once()
        except SourceLost:
            self._let_go()
            return self._grab_once()

    def _grab_once(self) -> mss.ScreenShot:
        try:
            grabber = self._current()
            self._grabs += 1
            return grabber.grab(grabber.monitors[0])
        except (ScreenShotError, OSError) as error:
            raise SourceLost(f"the display can't be read ({error})") from error
        except (AssertionError, ValueError) as error:
            # WORKAROUND: mss 10.2.0 asserts that the X server answers (mss/linux/xcbhelpers.py, ``reply``).
            raise SourceLost("the display is gone") from error

    def _current(self) -> mss.MSS:
        """Return a grabber of this thread that knows the displays as they are.

        Windows ties a device context to its thread, and mss looks for displays only once.
        """
        known, is_ours = self._grabber, self._thread == threading.get_ident()
        if known is not None and is_ours and self._grabs < self._recheck:
            return known
        fresh = mss.MSS(display=self._display) if self._display else mss.MSS()
        self._grabs = 0
        if known is not None and is_ours and known.monitors[0] == fresh.monitors[0]:
            fresh.close()  # its memory would cost 4 ms at first use
            return known
        self._let_go()
        self._grabber, self._thread = fresh, threading.get_ident()
        return fresh

    def _view(self, shot: mss.ScreenShot) -> Picture:
        image = recordable(np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)[:, :, :3])
        self.height, self.width = image.shape[:2]
        return image

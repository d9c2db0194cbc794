"""Sources for tests: made-up pictures and sound, paced by whatever clock they are given, lost on demand."""

import numpy as np

from app.contract.incidents import Track
from app.contract.times import Clock
from capture.frames import AudioChunk, Frame
from capture.pace import Pacer
from capture.sources import AUDIO_CHUNK, AUDIO_RATE, Origin, SourceLost


class FakeVideo:
    """A square that moves a little with each picture, on a soft gradient.

    After ``limit`` pictures it is lost for good. ``still`` marks every second picture as unchanged.
    """

    origin = Origin.SAMPLE
    name = "made-up pictures"

    def __init__(
        self,
        clock: Clock,
        *,
        track: Track = Track.CAMERA,
        width: int = 160,
        height: int = 120,
        fps: int = 15,
        limit: int | None = None,
        still: bool = False,
    ) -> None:
        self.track, self.width, self.height = track, width, height
        self._pacer = Pacer(fps, clock, skip_late=True)
        self._limit, self._still = limit, still
        self._ramp = np.add.outer(np.arange(height), np.arange(width)).astype(np.uint8)
        self._open = False
        self._seq = 0
        self._image = np.zeros((height, width, 3), np.uint8)

    def open(self) -> None:
        """Start."""
        self._open = True
        self._pacer.restart()

    def read(self) -> Frame:
        """Return the next picture."""
        if not self._open or (self._limit is not None and self._seq >= self._limit):
            raise SourceLost("no more made-up pictures")
        at = self._pacer.wait()
        unchanged = self._still and self._seq % 2 == 1
        if not unchanged:
            self._image = self._draw(self._seq)
        frame = Frame(source=self.track, seq=self._seq, at=at, image=self._image, unchanged=unchanged)
        self._seq += 1
        return frame

    def close(self) -> None:
        """Stop."""
        self._open = False

    def _draw(self, number: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
        image = np.repeat(self._ramp[:, :, None], 3, axis=2)
        side = self.height // 4
        left = number * 3 % (self.width - side)
        image[side : 2 * side, left : left + side] = (40, 200, 240)
        image.flags.writeable = False
        return image


class FakeMicrophone:
    """A steady tone; after ``limit`` chunks it is lost for good."""

    track = Track.MICROPHONE
    origin = Origin.SAMPLE
    name = "made-up sound"

    def __init__(self, clock: Clock, *, hertz: float = 440.0, limit: int | None = None) -> None:
        self._pacer = Pacer(AUDIO_RATE / AUDIO_CHUNK, clock, skip_late=False)
        self._hertz, self._limit = hertz, limit
        self._open = False
        self._seq = 0

    def open(self) -> None:
        """Start."""
        self._open = True
        self._pacer.restart()

    def read(self) -> AudioChunk:
        """Return the next 20 ms."""
        if not self._open or (self._limit is not None and self._seq >= self._limit):
            raise SourceLost("no more made-up sound")
        at = self._pacer.wait()
        phase = (np.arange(AUDIO_CHUNK) + self._seq * AUDIO_CHUNK) * (2 * np.pi * self._hertz / AUDIO_RATE)
        pcm = (np.sin(phase) * 8_000).astype(np.int16)
        chunk = AudioChunk(source=self.track, seq=self._seq, at=at, rate=AUDIO_RATE, pcm=pcm)
        self._seq += 1
        return chunk

    def close(self) -> None:
        """Stop."""
        self._open = False

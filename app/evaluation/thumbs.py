"""Small pictures of a recording, kept for the page that shows what went wrong. Bounded, however long the recording is.

Runs in the caller's thread.
"""

from collections.abc import Iterable

from capture.pictures import Picture
from capture.stills import jpeg
from capture.stored import shrunk

Thumb = tuple[float, bytes]
"""Seconds into the recording, JPEG."""

SPACING_S = 1.0
MOST = 3000
"""About 40 MB. When so many are there every other one goes, and from then on they lie twice as far apart."""
_LONGEST, _QUALITY = 320, 60


class Thumbs:
    """Keeps at most one picture a ``SPACING_S`` and at most ``MOST`` in all, evenly over the recording."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._spacing_s = SPACING_S
        self._kept: list[Thumb] = []

    def __len__(self) -> int:
        return len(self._kept)

    def offer(self, at_s: float, image: Picture) -> None:
        """Take a picture if one is due; others are not even encoded. Times rise."""
        if self._kept and at_s < self._kept[-1][0] + self._spacing_s:
            return
        self._kept.append((at_s, thumb(image)))
        if len(self._kept) >= self._most:
            self._kept = self._kept[::2]
            self._spacing_s *= 2

    def at_middles(self, spans: Iterable[tuple[float, float]], seconds: float) -> tuple[Thumb, ...]:
        """Return only those in the middle of something (start, end; clipped to ``seconds``), in order of time."""
        if not self._kept:
            return ()
        middles = [(start + min(end, seconds)) / 2 for start, end in spans]
        nearest = {
            min(range(len(self._kept)), key=lambda index: abs(self._kept[index][0] - middle)) for middle in middles
        }
        return tuple(self._kept[index] for index in sorted(nearest))


def thumb(image: Picture) -> bytes:
    """Return a small JPEG of ``image``."""
    return jpeg(shrunk(image, _LONGEST), _QUALITY)

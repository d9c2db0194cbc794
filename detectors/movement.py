"""Where a picture differs from the one before: for what moves and what has never moved. Pure, no clock.

Used by one thread (``detectors.object_watch``). It keeps one small grey picture, 160×120, and never a face's detail.
Whether the scene moved at all, for the pace of the analysis, is ``detectors.motion``.
"""

from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Box

SIZE = (160, 120)
"""Width and height of what is compared; each pixel is the mean of 16 of a 640×480 picture, so noise is a quarter."""
LEVELS = 10.0
"""By so many of 256 levels a pixel must differ, once the change of the whole picture (exposure) is taken off: in a
picture of at least ``CONTRAST``. In a dim one less differs, and less is asked, in proportion."""
CONTRAST = 100.0
"""Levels between the 5th and the 95th percentile of a picture in good light."""
LEAST_LEVELS = 1.5
NOISES = 6.0
MOST_LEVELS = 30.0
"""A pixel must differ by so many standard deviations of the noise, too; more than ``MOST_LEVELS`` is never asked."""
LOOKS = 3
"""Noise is what the quietest of so many looks shows: a camera that is turned, or somebody who gets up, is none."""
_QUARTER = 0.3186
"""The 25th percentile of the absolute value of normal noise, in standard deviations."""


class Movement:
    """Compares each picture with the one before."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._noises: deque[float] = deque(maxlen=LOOKS)
        self._changed: NDArray[np.bool_] = np.zeros(SIZE[::-1], np.bool_)
        self._frame = (1, 1)

    def see(self, image: NDArray[np.uint8]) -> None:
        """Take the next picture (H×W×3, BGR)."""
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
        small = np.asarray(cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA), np.float32)
        self._frame = (image.shape[0], image.shape[1])
        if self._before is None:
            self._changed = np.zeros(small.shape, np.bool_)
        else:
            difference = small - self._before
            difference = np.abs(difference - np.median(difference))
            self._changed = difference > self._least(small, difference)
        self._before = small

    def _least(self, small: NDArray[np.float32], difference: NDArray[np.float32]) -> float:
        """Return by how many levels a pixel must differ in this picture."""
        dark, light = np.percentile(small, (5, 95))
        # The quietest quarter of the quietest look, for what moves is no noise.
        self._noises.append(float(np.percentile(difference, 25)) / _QUARTER)
        by_contrast = LEVELS * min(1.0, float(light - dark) / CONTRAST)
        return max(LEAST_LEVELS, by_contrast, min(MOST_LEVELS, NOISES * min(self._noises)))

    @property
    def everywhere(self) -> float:
        """Share of the whole picture that changed."""
        return float(self._changed.mean())

    def share(self, box: Box, without: Sequence[Box] = ()) -> float:
        """Return the share of ``box`` that changed, leaving out what lies in ``without``; 0 if nothing is left."""
        inside = self._mask(box)
        for other in without:
            inside &= ~self._mask(other)
        whole = int(inside.sum())
        return float((self._changed & inside).sum()) / whole if whole else 0.0

    def visible(self, box: Box, without: Sequence[Box]) -> float:
        """Return the share of ``box`` that lies outside ``without``."""
        inside = self._mask(box)
        whole = int(inside.sum())
        for other in without:
            inside &= ~self._mask(other)
        return float(inside.sum()) / whole if whole else 0.0

    def middle(self, within: Box, without: Sequence[Box] = ()) -> tuple[float, float] | None:
        """Return where in ``within`` most changed, as x and y in pixels of the picture; ``None`` where little did."""
        moving = self._changed & self._mask(within)
        for other in without:
            moving &= ~self._mask(other)
        # The densest spot of about an eighth of the picture, the size of a hand: a mean would lie between two hands.
        dense = np.asarray(cv2.blur(moving.astype(np.float32), (21, 21)))
        row, column = np.unravel_index(int(dense.argmax()), dense.shape)
        if dense[row, column] < 0.1:
            return None
        height, width = self._frame
        return (float(column) + 0.5) * width / SIZE[0], (float(row) + 0.5) * height / SIZE[1]

    def _mask(self, box: Box) -> NDArray[np.bool_]:
        height, width = self._frame
        mask = np.zeros(SIZE[::-1], np.bool_)
        left, right = (int(np.clip(edge * SIZE[0] / width, 0, SIZE[0])) for edge in box[::2])
        top, bottom = (int(np.clip(edge * SIZE[1] / height, 0, SIZE[1])) for edge in box[1::2])
        mask[top : bottom + 1, left : right + 1] = True
        return mask

"""Where a picture differs from the one before: for what moves and what has never moved. Pure, no clock.

Used by one thread (``detectors.object_watch``). It keeps one small grey picture, 160×120, and never a face's detail.
Whether the scene moved at all, for the pace of the analysis, is ``detectors.motion``.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Box

SIZE = (160, 120)
"""Width and height of what is compared; each pixel is the mean of 16 of a 640×480 picture, so noise is a quarter."""
LEVELS = 10
"""By so many of 256 levels a pixel must differ, once the change of the whole picture (exposure) is taken off."""


class Movement:
    """Compares each picture with the one before."""

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None
        self._changed: NDArray[np.bool_] = np.zeros(SIZE[::-1], np.bool_)
        self._frame = (1, 1)

    def see(self, image: NDArray[np.uint8]) -> None:
        """Take the next picture (H×W×3, BGR)."""
        small = cv2.cvtColor(cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY).astype(np.int16)
        self._frame = (image.shape[0], image.shape[1])
        if self._before is None:
            self._changed = np.zeros_like(small, np.bool_)
        else:
            difference = small - self._before
            self._changed = np.abs(difference - np.median(difference)) > LEVELS
        self._before = small

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

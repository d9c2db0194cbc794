"""How like the face is to the one that this session began with. One number; the picture and the template stay here.

Runs in the detection thread, only where the policy asks for it (``continuity``). What it compares with is made of the
first frontal looks of this session, held in memory, never written, sent or logged, and forgotten with the process; it
can't be pickled. It knows nobody and no other session. Uniform local binary patterns of an aligned grey face (Ahonen,
Hadid, Pietikäinen, IEEE TPAMI 28(12), 2006): weak, so it is advice (docs/models.md has what it was measured to do).
"""

from collections import deque
from typing import NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from app.contract.times import Instant
from detectors.boxes import Floats

SIDE = 64
"""Side of the aligned face in pixels."""
CELLS = 6
"""Cells across and down; the patterns are counted in each."""
_ANCHORS = (33, 133, 362, 263, 61, 291, 4, 152)
"""Corners of the eyes and the mouth, tip of the nose, chin."""
_PLACES = np.array([[18, 24], [27, 24], [37, 24], [46, 24], [23, 48], [41, 48], [32, 37], [32, 60]], np.float32)
_SIX = 6  # numbers of an affine transform
_AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
FIRST_LOOKS = 20
NEWEST_LOOKS = 10
NEWEST_S = 15.0


class Likeness:
    """Compares the newest looks with the first."""

    def __init__(self) -> None:
        self._first: list[Floats] = []
        self._newest: deque[tuple[Instant, Floats]] = deque(maxlen=NEWEST_LOOKS)

    def compare(self, at: Instant, image: NDArray[np.uint8], points: Floats) -> float | None:
        """Take a frontal look; return the distance 0 (alike) to 1, ``None`` while there is too little to compare."""
        patterns = _patterns(_aligned(image, points))
        if len(self._first) < FIRST_LOOKS:
            self._first.append(patterns)
            return None
        self._newest.append((at, patterns))
        while at.seconds_since(self._newest[0][0]) > NEWEST_S:
            self._newest.popleft()
        if len(self._newest) < NEWEST_LOOKS // 2:
            return None
        then, now = np.mean(self._first, axis=0), np.mean([one for _, one in self._newest], axis=0)
        return 1.0 - float(then @ now / max(float(np.linalg.norm(then) * np.linalg.norm(now)), 1e-9))

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: the template leaves this object in no way."""
        raise TypeError("a likeness stays where it is")


def _aligned(image: NDArray[np.uint8], points: Floats) -> NDArray[np.uint8]:
    """Return the face upright, eyes and mouth in their places, grey, [SIDE, SIDE]."""
    turn, _ = cv2.estimateAffinePartial2D(points[list(_ANCHORS), :2].astype(np.float32), _PLACES)
    if np.size(turn) != _SIX:  # ``None``: the points fit nothing
        return np.zeros((SIDE, SIDE), np.uint8)
    upright = cv2.warpAffine(image, turn, (SIDE, SIDE))
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(upright, cv2.COLOR_BGR2GRAY), (0, 0), 1), np.uint8)


def _patterns(grey: NDArray[np.uint8]) -> Floats:
    """Return the square roots of the shares of the 59 uniform patterns in each cell, one after another."""
    middle = grey[1:-1, 1:-1]
    codes = np.zeros(middle.shape, np.intp)
    for bit, (down, right) in enumerate(_AROUND):
        beside = grey[1 + down : SIDE - 1 + down, 1 + right : SIDE - 1 + right]
        codes |= (beside >= middle).astype(np.intp) << bit
    kinds = _UNIFORM[codes]
    cells = [cell for row in np.array_split(kinds, CELLS) for cell in np.array_split(row, CELLS, axis=1)]
    shares = [np.sqrt(np.bincount(cell.ravel(), minlength=59) / cell.size) for cell in cells]
    return np.concatenate(shares).astype(np.float32)


def _uniform() -> NDArray[np.intp]:
    """Return the number of each of 256 codes: 0 to 57 for those with at most two changes around, 58 for the rest."""
    table = np.full(256, 58, np.intp)
    number = 0
    for code in range(256):
        bits = [code >> place & 1 for place in range(8)]
        if sum(bits[place] != bits[place - 1] for place in range(8)) <= 2:
            table[code] = number
            number += 1
    return table


_UNIFORM = _uniform()

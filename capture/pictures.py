"""Pixels: sizes and colours. Pure functions on arrays; one thread, because a picture is small and the exam needs
the other cores.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

# OpenCV starts a thread per core for each conversion otherwise; 1.5 ms of work is not worth waking them.
cv2.setNumThreads(1)


def even(length: int) -> int:
    """Return ``length`` rounded down to an even number, as 4:2:0 video needs it."""
    return length & ~1


def fit(image: Picture, width: int, height: int) -> Picture:
    """Return H×W×3 ``image`` scaled into ``height``×``width``, with black bars where the shapes differ."""
    rows, columns = image.shape[:2]
    if (rows, columns) == (height, width):
        return image
    scale = min(width / columns, height / rows)
    inner = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(np.ascontiguousarray(image), inner, interpolation=method)
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = scaled
    return canvas


def to_i420(image: Picture) -> Picture:
    """Return the BGR ``image`` (even sides) as planar 4:2:0, (H·3/2)×W, BT.601 limited range.

    OpenCV needs 1.5 ms for 1920×1080 where swscale needs 7 to 8. A view on BGRA memory (``capture.screen``) is
    converted from that memory, without a copy to BGR.
    """
    whole = _bgra_below(image)
    if whole is not None:
        return np.asarray(cv2.cvtColor(whole, cv2.COLOR_BGRA2YUV_I420), np.uint8)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2YUV_I420), np.uint8)


def black_i420(width: int, height: int) -> Picture:
    """Return a black picture in the form of ``to_i420``."""
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = 16
    return planes


def _bgra_below(image: Picture) -> Picture | None:
    """Return the H×W×4 array that ``image`` is the first three channels of, or ``None``."""
    height, width = image.shape[:2]
    base = image.base
    if image.strides != (width * 4, 4, 1) or not isinstance(base, np.ndarray) or base.nbytes != height * width * 4:
        return None
    return base.reshape(height, width, 4)

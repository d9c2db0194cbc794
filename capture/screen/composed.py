"""All displays as one picture: what may be encoded of it. Pure; called in the screen's reader thread."""

import math

import cv2
import numpy as np

from capture.pictures import Picture, even

MOST_PIXELS = 3840 * 2160
"""Larger desktops (two 4K displays, say) are scaled down to this: encoding more would take a whole core."""


def recordable(pixels: Picture) -> Picture:
    """Return H×W×3 ``pixels`` with even sides and no more than ``MOST_PIXELS``, read-only.

    It is a view unless it had to be scaled. Raises ``ValueError`` for a desktop of less than two pixels.
    """
    rows, columns = pixels.shape[:2]
    if min(rows, columns) < 2:
        raise ValueError("a desktop without pixels")
    if rows * columns > MOST_PIXELS:
        scale = math.sqrt(MOST_PIXELS / (rows * columns))
        size = (even(int(columns * scale)), even(int(rows * scale)))
        image = np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), np.uint8)
    else:
        image = pixels if (rows % 2, columns % 2) == (0, 0) else pixels[: even(rows), : even(columns)]
    image.flags.writeable = False
    return image

"""Finds pictures that are nearly the same, whatever their names say: a split by wrong groups shows itself here.

The difference hash (N. Krawetz, "Kind of Like That", hackerfactor.com, 2013): each of 64 bits says whether a field of
the grey picture, shrunk to 9×8, is darker than its right neighbour. Light, size and JPEG quality hardly change it.
Pure; runs where models are made, never in the product.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

NEAR = 6
"""Bits of 64 in which two pictures of the same moment may differ."""


def fingerprint(image: NDArray[np.uint8]) -> int:
    """Return the 64 bits of a picture (H×W×3, BGR)."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def twins(left: Mapping[str, int], right: Mapping[str, int], *, near: int = NEAR) -> dict[str, str]:
    """Return the names of ``left`` that have a near-duplicate in ``right``, each with the nearest one."""
    if not left or not right:
        return {}
    names = list(right)
    theirs = np.array([right[name] for name in names], np.uint64)
    found = {}
    for name, bits in left.items():
        apart = np.bitwise_count(theirs ^ np.uint64(bits))
        nearest = int(apart.argmin())
        if apart[nearest] <= near:
            found[name] = names[nearest]
    return found

"""Whether a picture moved since the one before: a picture of 80×60 grey pixels against the last one. Pure, no clock.

Where nothing moves there is nothing new to find, and the costly detector may rest. A head that moves a little is more
than enough, so this saves while somebody reads and never while something is brought into view.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = (80, 60)
"""Width and height of what is compared."""
LEVELS = 12
"""By so many of 256 levels of grey must a pixel change; a webcam's noise, averaged over 8×8 pixels, is a few."""
SHARE = 0.01
"""So much of the picture must change: 48 of 4,800 pixels, a phone at arm's length is about 100."""


class Motion:
    """Compares pictures with the last one that was ``kept``."""

    def __init__(self) -> None:
        self._kept: NDArray[np.int16] | None = None
        self._newest: NDArray[np.int16] | None = None

    def moved(self, image: NDArray[np.uint8]) -> bool:
        """Say whether ``image`` (H×W×3 BGR) differs from the picture kept; true where there is none."""
        small = cv2.cvtColor(cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        self._newest = small.astype(np.int16)
        if self._kept is None:
            return True
        return float(np.mean(np.abs(self._newest - self._kept) > LEVELS)) > SHARE

    def keep(self) -> None:
        """Compare with the picture last asked about from now on."""
        self._kept = self._newest

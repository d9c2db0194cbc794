"""Where the eyes point within the head, from the points of its mesh. Pure, and coarse: advice.

The iris' place between the corners of an eye becomes an angle by the eye's own proportions. What is straight ahead
differs from person to person (one's ratio is 0.47 on one eye and 0.60 on the other), so only the change against what
``detectors.baseline`` learned says anything. Up and down move the iris too little in a webcam's picture to be used.
"""

import math
from dataclasses import dataclass

import numpy as np

from detectors.boxes import Floats

TURN_PER_WIDTH = 0.36
"""Radius on which the iris moves in widths of the opening between the lids: 10 mm (an eye turns about a point 13.5 mm
behind the cornea, Fry and Hill 1962; the iris lies 3.5 mm behind it) of 28 mm. With it the one recording at hand comes
to 27 degrees, where Open Model Zoo's gaze network says 26 to 28."""
OPEN = 0.12
"""Height by width below which an eye is closed: a blink says nothing of gaze. Soukupová and Čech (2016) put the
blink at about 0.2 with other points; here open eyes have 0.2 to 0.4 and closed ones under 0.1."""
FARTHEST = 45.0
"""Eyes don't turn farther within the head (about 50 degrees at most): a mesh that says so is wrong."""
_EYES = ((33, 133, 468, 159, 145), (362, 263, 473, 386, 374))
"""Corner on the picture's left, corner on its right, middle of the iris, upper lid, lower lid."""


@dataclass(frozen=True, slots=True)
class EyeTurn:
    """``yaw`` in degrees within the head, growing to the picture's right; ``opening`` is height by width."""

    yaw: float
    opening: float

    @property
    def is_open(self) -> bool:
        """Whether the eyes are open enough to say where they point."""
        return self.opening >= OPEN


def eye_turn(points: Floats) -> EyeTurn | None:
    """Return the mean turn of both eyes; ``None`` where the mesh has no irises (468 points) or puts them nowhere."""
    if len(points) <= _EYES[1][2]:
        return None
    flat = points[:, :2]
    ratios, openings = [], []
    for left, right, iris, upper, lower in _EYES:
        across = flat[right] - flat[left]
        width = max(float(np.linalg.norm(across)), 1e-6)
        ratios.append(float((flat[iris] - flat[left]) @ across) / width**2)
        openings.append(float(np.linalg.norm(flat[upper] - flat[lower])) / width)
    shift = (sum(ratios) / 2 - 0.5) / TURN_PER_WIDTH
    yaw = math.degrees(math.asin(max(-1.0, min(1.0, shift))))
    return EyeTurn(yaw=yaw, opening=sum(openings) / 2) if abs(yaw) <= FARTHEST else None

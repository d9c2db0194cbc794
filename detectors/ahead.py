"""Where straight ahead is, measured while somebody was asked to look at the middle of the screen. Pure.

A calibration by one mark. Without it ``detectors.baseline`` learns the same in the first seconds of the exam, when
nobody knows what is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.base import Observation

LEAST_LOOKS = 6
STEADY_DEGREES = 8.0
"""Three quarters of the looks lie within this of the median, or the candidate looked about."""
STEADY_SHARE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Degrees as in ``detectors.head_pose`` and ``detectors.gaze``; ``eyes`` only where they were seen."""

    yaw: float
    pitch: float
    eyes: float | None

    @property
    def values(self) -> dict[str, float]:
        """The angles that are known, by name."""
        eyes = {"eyes": self.eyes} if self.eyes is not None else {}
        return {"yaw": self.yaw, "pitch": self.pitch, **eyes}


def ahead_of(looks: Sequence[Sequence[Observation]]) -> Ahead | None:
    """Return the medians of what was measured at these ``looks``; ``None`` if too little was, or nothing steady."""
    heads = [one.values for look in looks for one in look if one.label == "head"]
    eyes = [one.values["yaw"] for look in looks for one in look if one.label == "gaze"]
    if len(heads) < LEAST_LOOKS:
        return None
    yaw, pitch = (_steady([head[axis] for head in heads]) for axis in ("yaw", "pitch"))
    if yaw is None or pitch is None:
        return None
    return Ahead(yaw=yaw, pitch=pitch, eyes=_steady(eyes) if len(eyes) >= LEAST_LOOKS else None)


def _steady(angles: Sequence[float]) -> float | None:
    middle = float(np.median(angles))
    near = sum(abs(angle - middle) <= STEADY_DEGREES for angle in angles)
    return middle if near >= STEADY_SHARE * len(angles) else None

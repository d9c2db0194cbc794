"""Where a head points over time, against this person's own baseline. Pure, no clock.

Takes every look of the detector of faces and says how far the head is turned from straight ahead; when the face is no
longer found, it says whether it was lost while it turned away. YuNet loses faces in profile: without this, whoever
turns far enough would look away no longer.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.contract.times import Instant
from detectors.base import Observation
from detectors.baseline import Baseline

SMOOTH_S = 0.6
"""Readings no older than this are smoothed by their median: one bad fit of the mesh moves nothing."""
MOST_SMOOTHED = 5
LOST_SOON_S = 2.5
"""A face that was last measured longer ago was not lost while it turned."""
GROWING_DEGREES = 5.0
LOST_SHARE = 0.6
"""Share of the policy's angle from which a face that is lost counts as lost while it turned."""
LEAST_TURN = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A turn from straight ahead in degrees: ``right`` of the picture and ``up`` are positive, ``angle`` is of both."""

    right: float
    up: float

    @property
    def angle(self) -> float:
        """The angle between straight ahead and where the head points."""
        cosine = math.cos(math.radians(self.right)) * math.cos(math.radians(self.up))
        return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))

    @property
    def direction(self) -> str:
        """The side to which most of the turn goes, as somebody sees it who looks at the recording."""
        if abs(self.right) >= abs(self.up):
            return "to the right of the picture" if self.right > 0 else "to the left of the picture"
        return "up" if self.up > 0 else "down"


class HeadTrack:
    """Follows the head of the nearest face. ``least`` is the score from which the mesh is believed."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._recent: deque[tuple[Instant, float, float]] = deque(maxlen=MOST_SMOOTHED)
        self._before: Turned | None = None
        self._last: Turned | None = None
        self._last_at: Instant | None = None
        self.baseline = Baseline()

    def look(self, at: Instant, observations: Sequence[Observation]) -> Turned | None:
        """Take one look at faces; return how the head is turned, ``None`` without one or before it has a baseline."""
        for one in observations:
            if one.label == "ahead":
                self.baseline.set((one.values["yaw"], one.values["pitch"]))
        head = next((one for one in observations if one.label == "head" and one.score >= self._least), None)
        if head is None:
            return None
        self._recent.append((at, head.values["yaw"], head.values["pitch"]))
        while at.seconds_since(self._recent[0][0]) > SMOOTH_S:
            self._recent.popleft()
        yaw, pitch = (float(np.median([one[axis] for one in self._recent])) for axis in (1, 2))
        self.baseline.add(at, (yaw, pitch))
        ahead = self.baseline.value
        if ahead is None:
            return None
        turned = Turned(right=yaw - ahead[0], up=pitch - ahead[1])
        self._before, self._last, self._last_at = self._last, turned, at
        return turned

    @property
    def last(self) -> Turned | None:
        """How the head was turned when it was last measured."""
        return self._last

    def forget(self) -> None:
        """Whoever was measured is gone: how that head was turned says nothing of the next one."""
        self._before = self._last = self._last_at = None
        self._recent.clear()

    def lost_turning(self, at: Instant, away_degrees: float) -> bool:
        """Whether the head was just turned sideways, far or farther each time, when it was last measured."""
        if self._last is None or self._last_at is None or at.seconds_since(self._last_at) > LOST_SOON_S:
            return False
        turn = abs(self._last.right)
        if turn < abs(self._last.up):
            return False  # a lowered head reads or writes
        growing = self._before is not None and turn - abs(self._before.right) >= GROWING_DEGREES
        return turn >= LOST_SHARE * away_degrees or (growing and turn >= LEAST_TURN)

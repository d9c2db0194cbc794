"""The second, closer look: one region of the picture a look, chosen in turn, shown to a model at a small input size.

Runs in the detection thread. Its cost is bounded: at most one region a look, and where nothing draws a look every
second one is left out. It keeps only whose turn it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.base import Box
from detectors.decoders import Found
from detectors.movement import Movement
from detectors.objects import ObjectDetector
from detectors.regions import CONTEXT, Region, around, around_box, meets, reach, resting

SIZE = (320, 416)
"""Height and width of what is looked at; 43 % of the pixels of a first look."""
EDGE = 2
"""A box this close (pixels) to an edge of the region that is none of the picture shows a part of something."""
HAND = 0.4
"""Height of the region around a moving hand, as a share of the person's."""


class Closer:
    """Looks at regions with ``detector``: at ``SIZE`` where it takes any size, else at its own."""

    def __init__(self, detector: ObjectDetector) -> None:
        self._detector = detector
        self._size = detector.size or SIZE
        self._turn = 0

    @property
    def names(self) -> Sequence[str]:
        """The classes of the model."""
        return self._detector.card.classes

    def choose(
        self,
        frame: tuple[int, int],
        *,
        people: Sequence[Box],
        faces: Sequence[Box],
        things: Sequence[Box],
        movement: Movement,
    ) -> Region | None:
        """Return where to look in a picture of ``frame`` (height, width); ``things`` are likeliest first."""
        self._turn += 1
        aspect = self._size[1] / self._size[0]
        hands = [reach(person) for person in people]
        drawn = [
            around_box(thing, CONTEXT, frame, aspect, "thing")
            for thing in things
            if any(meets(thing, where) for where in hands)
        ][:1]
        for where in hands:
            if (middle := movement.middle(where, faces)) is not None:
                drawn.append(around(middle, HAND * (where[3] - where[1]), frame, aspect, "moving"))
        if drawn:
            return drawn[self._turn % min(len(drawn), 2)]
        quiet = resting(people, faces, frame, aspect)
        return quiet[self._turn // 2 % len(quiet)] if quiet and self._turn % 2 else None

    def find(self, image: NDArray[np.uint8], region: Region, least: float) -> Found:
        """Return what is in ``region`` of ``image`` above ``least``, boxes in the picture's pixels."""
        part = np.ascontiguousarray(image[region.top : region.bottom, region.left : region.right])
        found = self._detector.find(part, least, self._size)
        height, width = image.shape[:2]
        low = np.array([region.left and EDGE, region.top and EDGE])
        high = np.array([part.shape[1], part.shape[0]]) - [
            EDGE * (region.right < width),
            EDGE * (region.bottom < height),
        ]
        whole = (found.boxes[:, :2] >= low).all(axis=1) & (found.boxes[:, 2:] <= high).all(axis=1)
        kept = found.take(whole)
        moved = kept.boxes + np.array([region.left, region.top] * 2, np.float32)
        return Found(boxes=moved, scores=kept.scores, classes=kept.classes)

"""Which thing is the one seen before: by overlap, or near by and about as large. Pure, no clock.

Looks are half a second or more apart and hands are quick, so two boxes of one thing need not overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.base import Box
from detectors.things import overlap

OVERLAP = 0.2
LEAP = 1.5
"""So many of its own lengths a thing may move from look to look."""
GROWTH = 2.5
"""So many times larger or smaller its area may become."""
PATIENCE = 3
"""A thing is followed over so many looks at which it was not seen."""


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    seen: int = 0
    missing: int = 0


class Tracks:
    """Follows things from look to look."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._count = 0

    @property
    def boxes(self) -> list[Box]:
        """Where the followed things were seen last, the newest and best known first."""
        return [one.box for one in sorted(self._tracks, key=lambda one: (one.missing, -one.seen))]

    def follow(self, boxes: Sequence[Box]) -> list[int]:
        """Take the things of one look, best first; return the number of each, the same as long as it is followed."""
        for track in self._tracks:
            track.missing += 1
        numbers = []
        for box in boxes:
            free = [track for track in self._tracks if track.missing and _near(track.box, box)]
            if free:
                track = min(free, key=lambda one: (-overlap(one.box, box), _distance(one.box, box)))
            else:
                self._count += 1
                track = _Track(self._count, box)
                self._tracks.append(track)
            track.box, track.missing, track.seen = box, 0, track.seen + 1
            numbers.append(track.number)
        self._tracks = [track for track in self._tracks if track.missing <= PATIENCE]
        return numbers


def _near(one: Box, other: Box) -> bool:
    if overlap(one, other) >= OVERLAP:
        return True
    smaller, larger = sorted((_area(one), _area(other)))
    return larger <= GROWTH * smaller and _distance(one, other) <= LEAP * max(_length(one), _length(other))


def _distance(one: Box, other: Box) -> float:
    across = (one[0] + one[2] - other[0] - other[2]) / 2
    down = (one[1] + one[3] - other[1] - other[3]) / 2
    return float((across**2 + down**2) ** 0.5)


def _length(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1])


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])

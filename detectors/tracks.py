"""Which thing is the one seen before: by overlap, or near by and about as large. Pure, no clock.

Looks are half a second or more apart and hands are quick, so two boxes of one thing need not overlap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detectors.base import Box, Observation
from detectors.things import overlap

OVERLAP = 0.2
LEAP = 1.5
"""So many of its own lengths a thing may move from look to look."""
GROWTH = 2.5
"""So many times larger or smaller its area may become."""
PATIENCE = 3
"""A thing is followed over so many looks at which it was not seen."""
PERSISTS = 2
"""From so many looks on a thing is one thing; what flickers here and there has one look at each place."""


@dataclass(slots=True)
class _Track:
    box: Box
    seen: int = 0
    missing: int = 0


class Tracks:
    """Follows things from look to look."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []

    @property
    def boxes(self) -> list[Box]:
        """Where the followed things were seen last, the newest and best known first."""
        return [one.box for one in sorted(self._tracks, key=lambda one: (one.missing, -one.seen))]

    def follow(self, boxes: Sequence[Box]) -> list[int]:
        """Take the things of one look, best first; return at how many looks each was seen so far, this one counted."""
        for track in self._tracks:
            track.missing += 1
        counts = []
        for box in boxes:
            free = [track for track in self._tracks if track.missing and _near(track.box, box)]
            if free:
                track = min(free, key=lambda one: (-overlap(one.box, box), _distance(one.box, box)))
            else:
                track = _Track(box)
                self._tracks.append(track)
            track.box, track.missing, track.seen = box, 0, track.seen + 1
            counts.append(track.seen)
        self._tracks = [track for track in self._tracks if track.missing <= PATIENCE]
        return counts


def best_of(observations: Iterable[Observation], label: str) -> Observation | None:
    """Return the best of ``label`` that persists; who does not follow things is believed at once."""
    lasting = (one for one in observations if one.label == label and one.values.get("seen", PERSISTS) >= PERSISTS)
    return max(lasting, key=lambda one: one.score, default=None)


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

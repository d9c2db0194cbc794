"""Where a second, closer look is worth it: at hands and faces, found by what is at hand. Pure, deterministic.

No model here finds hands. They are where the first look half saw some small thing near a person, where a thing was
held a moment ago, or where most moves within a person's reach beside the face; else a face's ears and the lap take
turns. Each is a guess, which is why what the second look sees decides, and not that it looked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.base import Box

REACH = 0.15
"""By this share of its width and height a person's box is widened: hands stick out of it."""
CONTEXT = 1.8
"""A closer look shows so many times the thing's own size: models were trained on things with surroundings."""
EARS = 2.4
"""A closer look at a face is so many times its height wide: a hand at the ear is in it."""
CLOSEST = 0.3
"""A closer look is at least this share of the picture's height: closer, and there are only pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of the picture: whole pixels, right and bottom exclusive, and ``why`` it is looked at."""

    left: int
    top: int
    right: int
    bottom: int
    why: str


def reach(person: Box) -> Box:
    """Return where the hands of ``person`` can be."""
    left, top, right, bottom = person
    aside, above = REACH * (right - left), REACH * (bottom - top)
    return left - aside, top - above, right + aside, bottom + above


def meets(box: Box, where: Box) -> bool:
    """Whether two boxes share a pixel."""
    return box[0] < where[2] and where[0] < box[2] and box[1] < where[3] and where[1] < box[3]


def around(middle: tuple[float, float], height: float, frame: tuple[int, int], aspect: float, why: str) -> Region:
    """Return the region of ``aspect`` (width by height) and about ``height`` around ``middle``, inside the frame.

    ``frame`` is height and width.
    """
    tall = min(max(height, CLOSEST * frame[0]), frame[0], frame[1] / aspect)
    wide = tall * aspect
    left = min(max(middle[0] - wide / 2, 0.0), frame[1] - wide)
    top = min(max(middle[1] - tall / 2, 0.0), frame[0] - tall)
    return Region(left=round(left), top=round(top), right=round(left + wide), bottom=round(top + tall), why=why)


def around_box(box: Box, times: float, frame: tuple[int, int], aspect: float, why: str) -> Region:
    """Return the region that shows ``box`` in ``times`` its size."""
    left, top, right, bottom = box
    height = times * max(bottom - top, (right - left) / aspect)
    return around(((left + right) / 2, (top + bottom) / 2), height, frame, aspect, why)


def resting(people: Sequence[Box], faces: Sequence[Box], frame: tuple[int, int], aspect: float) -> list[Region]:
    """Return where to look when nothing draws a look: each face with its ears, each lap."""
    regions = [around_box(face, EARS, frame, aspect, "face") for face in faces]
    for left, top, right, bottom in people:
        lap = ((left + right) / 2, top + 0.8 * (bottom - top))
        regions.append(around(lap, 0.5 * (bottom - top), frame, aspect, "lap"))
    return regions

"""Makes what one training step sees: a picture as by a webcam, its boxes, and which classes it says anything about.

Sample ``index`` of round ``epoch`` depends on the seed and these two numbers alone, so a run can be repeated, in
whatever order and number of processes. Runs where models are made, never in the product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from training import composites
from training.composites import Corners, Cutout
from training.folder import Picture
from training.groups import Member
from training.plan import Plan
from training.refusals import BadData
from training.webcam import Image, as_by_webcam

GREY = 114
COVERED, PASTED = 0.3, 0.4
"""Share of the samples in which a phone is hidden, and of those in which an object is pasted beside a person."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """``image`` H×W×3 (BGR); ``boxes`` [N, 5]: class, then x, y, width, height as shares; ``judged`` [classes].

    Where ``judged`` is false, an empty place says nothing about that class.
    """

    image: Image
    boxes: NDArray[np.float32]
    judged: NDArray[np.bool_]


class Sampler:
    """Draws samples of ``size`` (height, width) from ``members``; ``people`` are boxes of persons by picture path."""

    def __init__(
        self,
        members: Sequence[Member],
        plan: Plan,
        *,
        size: tuple[int, int],
        seed: int,
        people: Mapping[str, Sequence[Corners]],
    ) -> None:
        self._members, self._plan, self._size, self._seed, self._people = members, plan, size, seed, people
        self._cutouts = [cutout for member in members for cutout in _cutouts(member.picture, plan)]

    def __len__(self) -> int:
        return len(self._members)

    def sample(self, epoch: int, index: int) -> Sample:
        """Return one sample."""
        rng = np.random.default_rng([self._seed, epoch, index])
        member = self._members[index]
        image = read_image(member.picture)
        found = [(box.label, in_pixels(box.corners, image)) for box in member.picture.boxes]
        if rng.random() < COVERED:
            found = [item for item in found if not self._covered(image, item, rng)]
        if self._cutouts and rng.random() < PASTED:
            found += self._pasted(image, str(member.picture.path), rng)
        boxes = [(number, *box) for label, box in found if (number := self._plan.number(label)) is not None]
        image, placed = framed(image, np.array(boxes, np.float32).reshape(-1, 5), self._size, rng)
        return Sample(image=as_by_webcam(image, rng), boxes=placed, judged=np.array(self._plan.judged(member)))

    def _covered(self, image: Image, item: tuple[str, Corners], rng: np.random.Generator) -> bool:
        """Hide a labelled object, if it is of a trained class and large enough for its lack to be seen."""
        label, box = item
        if self._plan.number(label) is None or min(box[2] - box[0], box[3] - box[1]) < 12:
            return False
        composites.cover(image, box, rng)
        return True

    def _pasted(self, image: Image, path: str, rng: np.random.Generator) -> list[tuple[str, Corners]]:
        people = self._people.get(path, ())
        if not people:
            return []
        cutout = self._cutouts[int(rng.integers(len(self._cutouts)))]
        middle, tall = composites.near_person(people[int(rng.integers(len(people)))], rng)
        box = composites.paste(image, cutout, middle, tall)
        return [(cutout.label, box)] if box is not None else []


def _cutouts(picture: Picture, plan: Plan) -> list[Cutout]:
    wanted = [box for box in picture.boxes if plan.number(box.label) is not None]
    if not wanted:
        return []
    image = read_image(picture)
    made = [composites.cut_out(image, in_pixels(box.corners, image), box.label) for box in wanted]
    return [cutout for cutout in made if cutout is not None]


def read_image(picture: Picture) -> Image:
    """Return the picture (H×W×3, BGR). Raises ``BadData``."""
    image = cv2.imread(str(picture.path))
    if image is None:
        raise BadData(f"{picture.path} is no picture that can be read. Replace or remove it.")
    return np.asarray(image, np.uint8)


def in_pixels(corners: tuple[float, float, float, float], image: Image) -> Corners:
    """Return shares of a picture as whole pixels inside it."""
    height, width = image.shape[:2]
    left, top, right, bottom = (
        min(max(0, round(share * side)), side)
        for share, side in zip(corners, (width, height, width, height), strict=True)
    )
    return left, top, right, bottom


def framed(
    image: Image, boxes: NDArray[np.float32], size: tuple[int, int], rng: np.random.Generator
) -> tuple[Image, NDArray[np.float32]]:
    """Put the picture somewhere on a grey canvas of ``size``, at 0.35 to 1.2 times what would fit, mirrored or not.

    Photographs show a phone larger than a webcam does, so most become smaller. Takes boxes as class and corners in
    pixels; returns them as class, x, y, width, height in shares of the canvas, without those that are mostly cut off.
    """
    height, width = size
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        boxes = boxes.copy()
        boxes[:, [1, 3]] = image.shape[1] - boxes[:, [3, 1]]
    scale = min(height / image.shape[0], width / image.shape[1]) * rng.uniform(0.35, 1.2)
    right, down = (
        _offset(side, inner * scale, rng) for side, inner in ((width, image.shape[1]), (height, image.shape[0]))
    )
    move = np.array([[scale, 0, right], [0, scale, down]], np.float32)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = cv2.warpAffine(
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=how),
        move @ np.diag([1 / scale, 1 / scale, 1]).astype(np.float32),
        (width, height),
        borderValue=(GREY, GREY, GREY),
    )
    return np.asarray(canvas, np.uint8), _clipped(boxes, scale, (right, down), size)


def _offset(side: int, inner: float, rng: np.random.Generator) -> float:
    """Return where a picture ``inner`` long begins on a canvas: anywhere inside, or so that it fills the canvas."""
    low, high = sorted((0.0, side - inner))
    return float(rng.uniform(low, high))


def _clipped(
    boxes: NDArray[np.float32], scale: float, offset: tuple[float, float], size: tuple[int, int]
) -> NDArray[np.float32]:
    height, width = size
    moved = boxes[:, 1:] * scale + np.array([*offset, *offset], np.float32)
    inside = np.clip(moved, 0, np.array([width, height, width, height], np.float32))
    areas = [(corners[:, 2:] - corners[:, :2]).prod(axis=1) for corners in (moved, inside)]
    kept = areas[1] > 0.4 * np.maximum(areas[0], 1e-6)
    low, high = inside[kept, :2], inside[kept, 2:]
    shares = np.concatenate([(low + high) / 2, high - low], axis=1) / np.array([width, height] * 2, np.float32)
    return np.concatenate([boxes[kept, :1], shares], axis=1).astype(np.float32)

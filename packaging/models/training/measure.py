"""How good boxes are: average precision as COCO defines it, and shares with their bounds.

Pure; runs where models are made, never in the product. Sources: T.-Y. Lin et al., "Microsoft COCO" (arXiv:1405.0312)
and its evaluation code; E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
OVERLAPS = tuple(0.5 + 0.05 * step for step in range(10))
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looked:
    """What one class looked like in one picture: boxes found [N, 4] with ``scores`` [N], and the ``truth`` [M, 4].

    Boxes are left, top, right, bottom in pixels.
    """

    boxes: Floats
    scores: Floats
    truth: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``hits`` of ``all``, with the bounds between which the true share lies with 95 % confidence."""

    hits: int
    all: int

    @property
    def value(self) -> float:
        """The share itself; not a number if there was nothing."""
        return self.hits / self.all if self.all else math.nan

    @property
    def bounds(self) -> tuple[float, float]:
        """Wilson's interval."""
        if not self.all:
            return 0.0, 1.0
        z, n = 1.959964, self.all
        middle = (self.value + z * z / (2 * n)) / (1 + z * z / n)
        spread = z / (1 + z * z / n) * math.sqrt(self.value * (1 - self.value) / n + z * z / (4 * n * n))
        return max(0.0, middle - spread), min(1.0, middle + spread)

    def __str__(self) -> str:
        if not self.all:
            return "–"
        low, high = self.bounds
        return f"{self.value:.2f} ({low:.2f}–{high:.2f}; {self.hits} of {self.all})"


def mean_average_precision(by_class: Sequence[Sequence[Looked]]) -> float:
    """Return mAP50-95 from 0 to 1 over the classes that the truth holds; each item has the pictures of one class."""
    known = [pictures for pictures in by_class if any(len(picture.truth) for picture in pictures)]
    values = [average_precision(pictures, overlap) for pictures in known for overlap in OVERLAPS]
    return float(np.mean(values)) if values else math.nan


def average_precision(pictures: Sequence[Looked], overlap: float = 0.5) -> float:
    """Return the mean precision at 101 recalls, where a box that overlaps its object by ``overlap`` counts as found."""
    truths = sum(len(picture.truth) for picture in pictures)
    if not truths:
        return math.nan
    scores = np.concatenate([picture.scores for picture in pictures])
    hits = np.concatenate([matched(picture, overlap) for picture in pictures])
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(hits[order])
    precision = found / np.arange(1, len(found) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(found / truths, _RECALLS, side="left")
    return float(np.append(precision, 0.0)[np.minimum(places, len(precision))].mean())


def matched(picture: Looked, overlap: float) -> NDArray[np.bool_]:
    """Return for each box whether it is the first, best score first, on an object that it overlaps by ``overlap``."""
    hits = np.zeros(len(picture.scores), np.bool_)
    common = overlaps(picture.boxes, picture.truth)
    free = np.ones(len(picture.truth), np.bool_)
    for index in np.argsort(-picture.scores, kind="stable"):
        if not free.any():
            break
        row = np.where(free, common[index], -1)
        best = int(row.argmax())
        if row[best] >= overlap:
            hits[index], free[best] = True, False
    return hits


def overlaps(left: Floats, right: Floats) -> Floats:
    """Return intersection over union [N, M] of boxes [N, 4] and [M, 4]."""
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (left, right)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9), np.float64)


def recall_and_precision(pictures: Sequence[Looked], least: float, overlap: float = 0.5) -> tuple[Share, Share]:
    """Return which objects are found, and which boxes are right, among boxes that score ``least`` or more."""
    strong = [_above(picture, least) for picture in pictures]
    hits = sum(int(matched(picture, overlap).sum()) for picture in strong)
    return (
        Share(hits=hits, all=sum(len(picture.truth) for picture in strong)),
        Share(hits=hits, all=sum(len(picture.scores) for picture in strong)),
    )


def seen(pictures: Sequence[Looked], least: float) -> Share:
    """Return in which pictures the class was seen at all, with a score of ``least`` or more."""
    return Share(hits=sum(bool((picture.scores >= least).any()) for picture in pictures), all=len(pictures))


def _above(picture: Looked, least: float) -> Looked:
    kept = picture.scores >= least
    return Looked(boxes=picture.boxes[kept], scores=picture.scores[kept], truth=picture.truth)

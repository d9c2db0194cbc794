"""Says whether a trained model is better than the one it was made from, point by point, and at which score it speaks.

The least score of a trained class is chosen on the held-out side of the split; the other sets of pictures are for
judging only. Pure; runs in the product's environment.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.measure import Share, average_precision, mean_average_precision, recall_and_precision, seen
from training.plan import model_name
from training.scenes import Seen, of_class

from detectors.coco import HELD

PRECISION = 0.9
WORD_PRECISION, ENOUGH = 0.95, 10
"""Share of the pictures for which a word must be right; the least number of them, and of those that could mislead."""
STEPS = tuple(round(0.1 + 0.05 * step, 2) for step in range(15))
"""Least scores that are tried, from 0.10 to 0.80."""
MAP_LOSS = 0.01
HELD_OUT, COCO = "held-out side of the split", "COCO"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """What one model saw in one scene. ``before`` marks the model that training began with."""

    model: str
    form: str
    before: bool
    scene: str
    names: tuple[str, ...]
    pictures: tuple[Seen, ...]

    def precision(self, name: str) -> float:
        """Return AP50 of a class."""
        return average_precision(of_class(self.pictures, name))

    def mean_precision(self) -> float:
        """Return mAP50-95 over all classes that are labelled."""
        return mean_average_precision([of_class(self.pictures, name) for name in self.names])

    def boxes(self, name: str, least: float) -> tuple[Share, Share]:
        """Return recall and precision of a class's boxes."""
        return recall_and_precision(of_class(self.pictures, name), least)

    def by_label(self, name: str, least: float) -> Mapping[str, Share]:
        """Return in which share of the pictures ``name`` was seen, by what is labelled in them ("" for nothing)."""
        groups: dict[str, list[Seen]] = {}
        for picture in self.pictures:
            groups.setdefault(", ".join(sorted(picture.labels)), []).append(picture)
        return {label: seen(of_class(some, name), least) for label, some in sorted(groups.items())}

    def shows(self, name: str) -> bool:
        """Whether the class is labelled anywhere in the scene."""
        return any(len(looked.truth) for looked in of_class(self.pictures, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One comparison in words, and whether the new model is at least as good there."""

    text: str
    holds: bool


def least_score(held_out: Figures, name: str) -> float:
    """Return the least of ``STEPS`` at which ``PRECISION`` of the class's boxes are right, else the highest step."""
    for step in STEPS:
        _, precision = held_out.boxes(name, step)
        if precision.all and precision.value >= PRECISION:
            return step
    return STEPS[-1]


def word_score(scenes: Sequence[Figures], name: str) -> float | None:
    """Return the least score from which on pictures are rightly said to show ``name``, ``None`` if there is none.

    Asked of all pictures that were neither trained on nor used to choose the least score. At least ``ENOUGH`` of them
    must show something else that one holds: where there are only phones, every "phone" is right.
    """
    pictures = [picture for one in scenes if one.scene not in {HELD_OUT, COCO} for picture in one.pictures]
    if sum(_misleading(picture, name) for picture in pictures) < ENOUGH:
        return None
    looks = of_class(pictures, name)
    shown = [(float(looked.scores.max(initial=0)), bool(len(looked.truth))) for looked in looks]
    for step in STEPS:
        right = [true for score, true in shown if score >= step]
        if len(right) >= ENOUGH and sum(right) >= WORD_PRECISION * len(right):
            return step
    return None


def _misleading(picture: Seen, name: str) -> bool:
    """Whether a picture shows a thing that may be held, and not the one called ``name``."""
    things = {model_name(label) for label in picture.labels}
    return name not in things and bool(things & HELD)


def compare(
    before: Figures, after: Figures, trained: Sequence[str], leasts: tuple[Mapping[str, float], Mapping[str, float]]
) -> list[Point]:
    """Return what changed in one scene; ``leasts`` are the least scores before and after, by class.

    A class that the model did not know before has no average precision to fall behind.
    """
    if after.scene == COCO:
        then, now = before.mean_precision(), after.mean_precision()
        return [Point(text=f"{COCO}: mAP50-95 {then:.3f} → {now:.3f}", holds=now >= then - MAP_LOSS)]
    points = []
    for name in trained:
        if after.shows(name):
            then, now = before.precision(name), after.precision(name)
            was = "not known" if math.isnan(then) else f"{then:.3f}"
            what = f"{after.scene}: AP50 of {name} {was} → {now:.3f}"
            points.append(Point(text=what, holds=math.isnan(then) or now >= then))
        old, new = before.by_label(name, leasts[0][name]), after.by_label(name, leasts[1][name])
        for label, share in new.items():
            what = f"{after.scene}, {label or 'nothing labelled'}: “{name}” in {old[label]} → {share} of the pictures"
            wanted = _shown(after, label, name)
            good = share.value >= old[label].value if wanted else share.value <= old[label].value
            points.append(Point(text=what, holds=good))
    return points


def _shown(figures: Figures, label: str, name: str) -> bool:
    """Whether pictures with these labels show the class."""
    some = [picture for picture in figures.pictures if ", ".join(sorted(picture.labels)) == label]
    return any(len(looked.truth) for looked in of_class(some, name))

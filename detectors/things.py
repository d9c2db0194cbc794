"""What two looks of a model say about one place, put together: a thing with its candidate classes. Pure.

A detector's word for a thing in a hand is often wrong while the place is right: a phone seen from behind is a
"remote", a wallet a "cell phone". So the classes are kept side by side as candidates, each with its best score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.base import Box
from detectors.boxes import areas, intersections
from detectors.decoders import Found

SAME_PLACE = 0.5
"""Overlap (intersection over union) from which two boxes are one thing, whatever their classes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What a model found, the names of its classes, and whether it looked closer."""

    found: Found
    names: Sequence[str]
    closer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One place: the best box, the best score of each class, and whether a closer look saw it."""

    box: Box
    scores: Mapping[str, float]
    closer: bool

    @property
    def best(self) -> str:
        """The class with the highest score."""
        return max(self.scores, key=lambda name: (self.scores[name], name))

    @property
    def candidates(self) -> str:
        """The three best classes with their scores, for people: ``cell phone 0.41, remote 0.33``."""
        ranked = sorted(self.scores.items(), key=lambda one: (-one[1], one[0]))
        return ", ".join(f"{name} {score:.2f}" for name, score in ranked[:3])

    def some(self, classes: frozenset[str]) -> float:
        """Return how sure it is that it is one of ``classes``: the chance that not all of them are wrong."""
        wrong = [1 - score for name, score in self.scores.items() if name in classes]
        return 1 - float(np.prod(wrong)) if wrong else 0.0


def things(looks: Sequence[Look], classes: frozenset[str]) -> list[Thing]:
    """Put together what ``looks`` found of ``classes``, best first."""
    seen = [
        (float(score), tuple(float(edge) for edge in box), look.names[int(index)], look.closer)
        for look in looks
        for box, score, index in zip(look.found.boxes, look.found.scores, look.found.classes, strict=True)
        if look.names[int(index)] in classes
    ]
    groups: list[list[tuple[float, tuple[float, ...], str, bool]]] = []
    for one in sorted(seen, key=lambda one: (-one[0], one[1:])):
        group = next((group for group in groups if overlap(group[0][1], one[1]) > SAME_PLACE), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return [_thing(group) for group in groups]


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return intersection over union of two boxes."""
    boxes = np.array([one, other], np.float32)
    shared = float(intersections(boxes[0], boxes[1:])[0])
    return shared / max(float(areas(boxes).sum()) - shared, 1e-9)


def within(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how much of the smaller of two boxes lies in the larger, as a share of the smaller."""
    boxes = np.array([one, other], np.float32)
    return float(intersections(boxes[0], boxes[1:])[0]) / max(float(areas(boxes).min()), 1e-9)


def _thing(group: Sequence[tuple[float, tuple[float, ...], str, bool]]) -> Thing:
    scores: dict[str, float] = {}
    for score, _, name, _ in group:
        scores[name] = max(score, scores.get(name, 0.0))
    left, top, right, bottom = group[0][1]
    return Thing(box=(left, top, right, bottom), scores=scores, closer=any(closer for *_, closer in group))

"""Boxes where something is, and nowhere else: reads what a split model says (``detectors.split_model``).

The heads are shown rectangles of the features, each as far around its places as a box depends on. At an edge of the
picture a rectangle ends too, and the head's own padding with zeros is what it would have seen there; so the numbers are
those of the whole model. Runs in the detection thread and keeps nothing between pictures.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.boxes import Floats
from detectors.decoders import Found, Reading
from detectors.model import Model
from detectors.split_model import REACH

_BINS = 16  # of the distribution that stands for the distance of one side
Places = NDArray[np.intp]


def sparse_reading(heads: Sequence[Model]) -> Reading:
    """Return how the outputs of a trunk are read with its ``heads``, one for each scale."""
    return Reading(decode=partial(_decode, heads), iou=0.7)


def _decode(heads: Sequence[Model], outputs: Sequence[Floats], size: tuple[int, int], least: float) -> Found:
    scores, features = outputs[: len(heads)], outputs[len(heads) :]
    parts = [
        _of_scale(head, raw, seen, size[0] / seen.shape[1], least)
        for head, raw, seen in zip(heads, scores, features, strict=True)
    ]
    return Found(
        boxes=np.concatenate([part.boxes for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        classes=np.concatenate([part.classes for part in parts]),
    )


def _of_scale(head: Model, raw: Floats, features: Floats, stride: float, least: float) -> Found:
    """Return what is at the places of one scale, which lie ``stride`` pixels apart. ``raw``: scores [C, h·w]."""
    best = raw.max(axis=0)
    places = np.flatnonzero(best > np.log(least / (1 - least)))
    if not len(places):
        return Found(boxes=np.empty((0, 4), np.float32), scores=best[:0], classes=places)
    rows, columns = np.divmod(places, features.shape[2])
    middles = np.stack([columns, rows], axis=1).astype(np.float32) + 0.5
    distances = _distances(_distributions(head, features, rows, columns))
    edges = np.concatenate([middles - distances[:, :2], middles + distances[:, 2:]], axis=1)
    return Found(
        boxes=edges * np.float32(stride),
        scores=np.asarray(1 / (1 + np.exp(-best[places])), np.float32),
        classes=raw[:, places].argmax(axis=0),
    )


def _distances(distributions: Floats) -> Floats:
    """Return how far each side lies from the middle of its cell [K, 4], in cells: the mean of its distribution."""
    sides = distributions.reshape(-1, 4, _BINS)
    chances = np.exp(sides - sides.max(axis=2, keepdims=True))
    return np.asarray(chances @ np.arange(_BINS, dtype=np.float32) / chances.sum(axis=2), np.float32)


def _distributions(head: Model, features: Floats, rows: Places, columns: Places) -> Floats:
    """Return the raw distributions at these places of one scale [K, 64]."""
    made = np.empty((len(rows), 4 * _BINS), np.float32)
    for which, (left, top, right, bottom) in _rectangles((features.shape[1], features.shape[2]), rows, columns):
        part = np.ascontiguousarray(features[None, :, top:bottom, left:right])
        (answer,) = head.run({head.input_name: part})
        made[which] = answer[0][:, rows[which] - top, columns[which] - left].T
    return made


def _rectangles(
    shape: tuple[int, int], rows: Places, columns: Places
) -> Iterator[tuple[NDArray[np.bool_], tuple[int, int, int, int]]]:
    """Yield which places a rectangle is for, and its left, top, right and bottom.

    Places whose surroundings meet share one. Together they are never more than all there is.
    """
    wanted = np.zeros(shape, np.uint8)
    wanted[rows, columns] = 1
    surroundings = cv2.dilate(wanted, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8))
    number, groups, spans, _ = cv2.connectedComponentsWithStats(surroundings)
    group_of = groups[rows, columns]
    if spans[1:, cv2.CC_STAT_WIDTH] @ spans[1:, cv2.CC_STAT_HEIGHT] > wanted.size:
        yield np.ones(len(rows), np.bool_), (0, 0, shape[1], shape[0])
        return
    for group in range(1, number):
        left, top, width, height = spans[group, : cv2.CC_STAT_AREA].tolist()
        yield group_of == group, (left, top, left + width, top + height)

"""Arithmetic of boxes: corners, overlap, and suppression of doubles. Pure numpy, float32, [N, 4] arrays."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def corners(centres: Floats) -> Floats:
    """Turn (centre x, centre y, width, height) into (left, top, right, bottom)."""
    half = centres[:, 2:4] / 2
    return np.concatenate([centres[:, :2] - half, centres[:, :2] + half], axis=1)


def areas(boxes: Floats) -> Floats:
    """Return the area of each box."""
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)


def intersections(box: Floats, boxes: Floats) -> Floats:
    """Return the area that ``box`` [4] shares with each of ``boxes``."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=1), np.float32)


def suppress(boxes: Floats, scores: Floats, groups: NDArray[np.intp], *, iou: float, limit: int = 300) -> list[int]:
    """Return the indices that survive, best first: of two in one group that overlap more than ``iou`` the better.

    As torchvision's ``nms`` after ultralytics' offset by class. At most ``limit`` survive.
    """
    # Moving each group far away lets one pass compare only within groups; 7,680 is ultralytics' largest picture.
    moved = boxes + (groups[:, None] * 7680).astype(np.float32)
    size = areas(moved)
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size and len(kept) < limit:
        best, order = int(order[0]), order[1:]
        kept.append(best)
        shared = intersections(moved[best], moved[order])
        union = size[best] + size[order] - shared
        order = order[shared <= iou * np.maximum(union, 1e-9)]
    return kept

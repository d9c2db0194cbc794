"""The forms of object models: how a picture becomes their input, and their outputs scored boxes. Pure numpy.

========================  ===================================  ================================================
form                      input                                output
========================  ===================================  ================================================
``yolo-dense``            RGB 0..1, letterbox centred          [1, 4+C, N]: centre x, y, width, height, C scores
``yolo-end-to-end``       as above                             [1, M, 6]: left, top, right, bottom, score, class
``yolox-grid``            BGR 0..255, letterbox top left       [1, N, 5+C]: offsets in the grids of 8, 16, 32
``darknet-heads``         RGB 0..1, letterbox centred          [1, N, 5+C]: centre x, y, width, height in pixels,
                                                               objectness, C scores, all activated
``yolo-dense``, split     as ``yolo-dense``                    for three scales raw scores [1, C, h·w], then features;
                                                               read by ``detectors.sparse_boxes``
========================  ===================================  ================================================

Boxes and the numbers in them are in pixels of the model's input; ``detectors.letterbox`` maps them back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.boxes import Floats, corners, suppress
from detectors.catalogue import Form


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Boxes [N, 4] (left, top, right, bottom), ``scores`` [N] and ``classes`` [N], best first."""

    boxes: Floats
    scores: Floats
    classes: NDArray[np.intp]

    def take(self, which: list[int] | NDArray[np.bool_]) -> "Found":
        """Return a selection."""
        return Found(boxes=self.boxes[which], scores=self.scores[which], classes=self.classes[which])


Decode = Callable[[Sequence[Floats], tuple[int, int], float], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one form is read. ``scale`` multiplies pixels; ``iou`` is the overlap that makes two boxes one."""

    decode: Decode
    iou: float | None
    scale: float = 1 / 255
    rgb: bool = True
    centred: bool = True

    def prepare(self, placed: NDArray[np.uint8]) -> Floats:
        """Turn a fitted picture (H×W×3, BGR) into the input [1, 3, H, W]."""
        channels = cv2.split(placed)
        made = np.empty((1, len(channels), *placed.shape[:2]), np.float32)
        # Channel by channel, which takes a third of the time of ``cv2.dnn.blobFromImage``; the numbers are the same.
        for plane, channel in zip(made[0], reversed(channels) if self.rgb else channels, strict=True):
            np.multiply(channel, np.float32(self.scale), out=plane)
        return made

    def read(self, outputs: Sequence[Floats], size: tuple[int, int], least: float) -> Found:
        """Return what ``outputs`` hold with a score above ``least``, doubles removed. ``size`` is height, width."""
        found = self.decode([output[0] for output in outputs], size, least)
        if self.iou is None:
            return found.take(np.argsort(-found.scores, kind="stable").astype(np.intp).tolist())
        return found.take(suppress(found.boxes, found.scores, found.classes, iou=self.iou))


def _dense(outputs: Sequence[Floats], _size: tuple[int, int], least: float) -> Found:
    (output,) = outputs
    scores = output[4:].max(axis=0)
    strong = np.flatnonzero(scores > least)
    return Found(
        boxes=corners(output[:4, strong].T),
        scores=scores[strong],
        classes=output[4:, strong].argmax(axis=0),
    )


def _end_to_end(outputs: Sequence[Floats], _size: tuple[int, int], least: float) -> Found:
    (output,) = outputs
    strong = output[output[:, 4] > least]
    return Found(boxes=strong[:, :4], scores=strong[:, 4], classes=strong[:, 5].astype(np.intp))


def _heads(outputs: Sequence[Floats], _size: tuple[int, int], least: float) -> Found:
    (output,) = outputs
    # Scores are at most the objectness, so most rows go before the 80 classes are multiplied.
    output = output[output[:, 4] > least]
    best = output[:, 5:].argmax(axis=1)
    scores = output[:, 4] * output[np.arange(len(output)), 5 + best]
    found = Found(boxes=corners(output[:, :4]), scores=scores, classes=best)
    return found.take(scores > least)


def _grid(outputs: Sequence[Floats], size: tuple[int, int], least: float) -> Found:
    (output,) = outputs
    cells, strides = _grid_cells(size)
    pixels = output.copy()
    pixels[:, :2] = (output[:, :2] + cells) * strides
    pixels[:, 2:4] = np.exp(output[:, 2:4]) * strides
    return _heads([pixels], size, least)


def _grid_cells(size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return the cell's column and row [N, 2] and its stride [N, 1] for each row of a model with three grids."""
    cells, strides = [], []
    for stride in (8, 16, 32):
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


READINGS: Mapping[Form, Reading] = {
    Form.YOLO_DENSE: Reading(decode=_dense, iou=0.7),
    Form.YOLO_END_TO_END: Reading(decode=_end_to_end, iou=None),
    Form.YOLOX_GRID: Reading(decode=_grid, iou=0.45, scale=1.0, rgb=False, centred=False),
    Form.DARKNET_HEADS: Reading(decode=_heads, iou=0.45),
}

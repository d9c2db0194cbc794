"""Faces in one picture: YuNet or MediaPipe's short-range BlazeFace.

Runs in the detection thread. It finds faces and knows nobody: nothing is compared or kept. ``detectors.face_reader``
puts what it finds together with the points of the mesh.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Box
from detectors.boxes import Floats, suppress
from detectors.catalogue import Form, ModelCard
from detectors.letterbox import STRIDE, fit, place
from detectors.model import Model, load

Point = tuple[float, float]
YUNET_STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True)
class Face:
    """A face in pixels of the frame. ``eyes`` are the middles of both, that on the picture's left first."""

    score: float
    box: Box
    eyes: tuple[Point, Point]


class FaceFinder(Protocol):
    """Finds faces in one picture."""

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        ...

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Return the faces in ``image`` (H×W×3, BGR), best first."""
        ...


class YuNetFinder:
    """YuNet behind ``FaceFinder``, in the frame's own proportions and at its card's longer side.

    Read as OpenCV's ``FaceDetectorYN`` does (modules/objdetect/src/face_detect.cpp of 4.10): for each cell of three
    grids the chances of a face and of a middle, a box and five points.
    """

    def __init__(self, model: Model, floor: float) -> None:
        self._model = model
        self._floor = floor

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        return self._model.card

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Return the faces in ``image``, best first."""
        height, width = image.shape[:2]
        scale = max(self.card.input) / max(height, width)
        size = (round(width * scale), round(height * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        padded = cv2.copyMakeBorder(small, 0, -size[1] % STRIDE, 0, -size[0] % STRIDE, cv2.BORDER_CONSTANT)
        picture = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
        rows, scores = self._decode(self._model.run({self._model.input_name: picture}), padded.shape[1])
        return [
            Face(float(score), _box(row[:4]), _ordered(*row[4:]))
            for row, score in zip(rows / np.float32(scale), scores, strict=True)
        ]

    def _decode(self, outputs: list[Floats], width: int) -> tuple[Floats, Floats]:
        """Return box and both eyes [K, 8] and scores [K], best first, in pixels of the padded picture."""
        found, scores = [], []
        for stride, faces, middles, boxes, points in zip(YUNET_STRIDES, *_by_kind(outputs), strict=True):
            chances = np.sqrt(np.clip(faces[0, :, 0], 0, 1) * np.clip(middles[0, :, 0], 0, 1))
            strong = np.flatnonzero(chances >= self._floor)
            rows, columns = np.divmod(strong, width // stride)
            cells = np.stack([columns, rows], axis=1).astype(np.float32)
            centres, half = boxes[0, strong, :2] + cells, np.exp(boxes[0, strong, 2:]) / 2
            eyes = points[0, strong, :4] + np.tile(cells, 2)
            found.append(np.concatenate([centres - half, centres + half, eyes], axis=1) * np.float32(stride))
            scores.append(chances[strong])
        every, score = np.concatenate(found), np.concatenate(scores)
        kept = suppress(every[:, :4], score, np.zeros(len(score), np.intp), iou=0.3, limit=50)
        return every[kept], score[kept]


class BlazeFaceFinder:
    """BlazeFace (128×128, 896 anchors) behind ``FaceFinder``."""

    def __init__(self, model: Model, floor: float) -> None:
        self._model = model
        self._floor = floor
        self._anchors = blazeface_anchors()

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        return self._model.card

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Return the faces in ``image``, best first."""
        plan = fit((image.shape[0], image.shape[1]), self.card.input)
        placed = cv2.cvtColor(place(image, plan, grey=0), cv2.COLOR_BGR2RGB)
        picture = placed.astype(np.float32)[None] / 127.5 - 1
        boxes, logits = _by_width(self._model.run({self._model.input_name: picture}))
        found, eyes, scores = self._decode(boxes[0], logits[0, :, 0])
        whole, ends = plan.restore(found), plan.restore(eyes)
        return _best_first(
            [
                Face(float(score), _box(box), _ordered(*pair))
                for score, box, pair in zip(scores, whole, ends, strict=True)
            ]
        )

    def _decode(self, boxes: Floats, logits: Floats) -> tuple[Floats, Floats, Floats]:
        """Return boxes, both eyes [N, 4] in input pixels, and scores, doubles removed (MediaPipe averages them)."""
        scores = (1 / (1 + np.exp(-np.clip(logits, -80, 80)))).astype(np.float32)
        strong = np.flatnonzero(scores >= self._floor)
        anchors = self._anchors[strong] * self.card.input[0]
        scores, centres = scores[strong], boxes[strong, :2] + anchors
        eyes = (boxes[strong, 4:8] + np.concatenate([anchors, anchors], axis=1)).astype(np.float32)
        half = boxes[strong, 2:4] / 2
        found = np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)
        kept = suppress(found, scores, np.zeros(len(scores), np.intp), iou=0.3)
        return found[kept], eyes[kept], scores[kept]


def load_face_finder(path: Path, card: ModelCard, floor: float) -> FaceFinder:
    """Check and load ``path``; ``floor`` is the least score reported. Raises ``UserFacing`` (E-MODEL-…)."""
    if card.form is Form.YUNET:
        return YuNetFinder(load(path, card), floor)
    return BlazeFaceFinder(load(path, card), floor)


def blazeface_anchors() -> Floats:
    """Return the 896 anchor centres [896, 2] (x, y in 0..1): two per cell of 16×16, then six per cell of 8×8."""
    grids = []
    for cells, per_cell in ((16, 2), (8, 6)):
        rows, columns = np.mgrid[:cells, :cells]
        centres = (np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5) / cells
        grids.append(np.repeat(centres, per_cell, axis=0))
    return np.concatenate(grids).astype(np.float32)


def _by_kind(outputs: list[Floats]) -> Iterator[list[Floats]]:
    """Yield chances of a face, of a middle, boxes and points, each for every stride, as the model orders them."""
    strides = len(YUNET_STRIDES)
    return (outputs[first : first + strides] for first in range(0, len(outputs), strides))


def _by_width(outputs: list[Floats]) -> tuple[Floats, Floats]:
    """Return (boxes and points [1, 896, 16], logits [1, 896, 1]) in whichever order the model gives them."""
    logits, boxes = sorted(outputs, key=lambda output: output.shape[-1])
    return boxes, logits


def _box(edges: Floats) -> Box:
    left, top, right, bottom = (float(edge) for edge in edges)
    return left, top, right, bottom


def _ordered(x0: float, y0: float, x1: float, y1: float) -> tuple[Point, Point]:
    one, other = sorted([(float(x0), float(y0)), (float(x1), float(y1))])
    return one, other


def _best_first(faces: list[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: -face.score)

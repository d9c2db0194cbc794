"""The 478 points of one face, from MediaPipe's face mesh: a crop turned upright goes in, points of the frame come out.

Runs in the detection thread, for one face a look. Points are measured and forgotten: they never leave the process, and
nobody is recognised by them. Model: "Attention Mesh", arXiv:2006.10962; crop as in MediaPipe's face_landmark graph.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Box
from detectors.boxes import Floats
from detectors.catalogue import ModelCard
from detectors.faces import Point
from detectors.model import Model, load

CROP = 1.5
"""Side of the crop in longer sides of the face's box, as MediaPipe takes it."""
POINTS = 478


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """``points`` [478, 3]: x and y in pixels of the frame, z in the same unit, towards the camera negative.

    ``score`` is the model's own, 0 to 1, that there is a face in the crop.
    """

    points: Floats
    score: float


class FaceMesh:
    """The landmark model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        return self._model.card

    def measure(self, image: NDArray[np.uint8], box: Box, eyes: tuple[Point, Point] | None) -> Mesh:
        """Return the mesh of the face in ``box``; ``eyes`` (the picture's left, right) say how far it is tilted."""
        side = self.card.input[0]
        turn = _crop(box, eyes, side)
        upright = cv2.warpAffine(image, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        colours = cv2.cvtColor(upright, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 255
        points, score = _by_size(self._model.run({self._model.input_name: colours}))
        return Mesh(points=_back(points.reshape(-1, 3)[:POINTS], turn), score=score)


def load_face_mesh(path: Path, card: ModelCard) -> FaceMesh:
    """Check and load ``path``. Raises ``UserFacing`` (E-MODEL-…)."""
    return FaceMesh(load(path, card))


def _crop(box: Box, eyes: tuple[Point, Point] | None, side: int) -> Floats:
    """Return the transform [2, 3] from the frame into the upright crop of ``side`` pixels."""
    left, top, right, bottom = box
    middle = ((left + right) / 2, (top + bottom) / 2)
    scale = side / (CROP * max(right - left, bottom - top, 1.0))
    tilt = 0.0
    if eyes is not None:
        (x0, y0), (x1, y1) = eyes
        tilt = math.degrees(math.atan2(y1 - y0, x1 - x0))
    turn = np.asarray(cv2.getRotationMatrix2D(middle, tilt, scale), np.float32)
    turn[:, 2] += np.array([side / 2 - middle[0], side / 2 - middle[1]], np.float32)
    return turn


def _back(points: Floats, turn: Floats) -> Floats:
    """Return ``points`` of the crop as points of the frame."""
    back = np.asarray(cv2.invertAffineTransform(turn), np.float32)
    flat = points[:, :2] @ back[:, :2].T + back[:, 2]
    scale = math.sqrt(abs(float(np.linalg.det(back[:, :2]))))
    return np.concatenate([flat, points[:, 2:] * np.float32(scale)], axis=1)


def _by_size(outputs: list[Floats]) -> tuple[Floats, float]:
    """Return (points, score): the points are the largest output, the face's logit the first of one number."""
    points = max(outputs, key=lambda output: output.size)
    logit = next(float(output.ravel()[0]) for output in outputs if output.size == 1)
    return points, 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))

"""Persons, phones, books and laptops in one picture, with whichever YOLO model is at hand.

Runs in the detection thread. It never decides what is an incident and keeps nothing between pictures.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.contract.times import Instant
from capture.frames import Frame
from detectors.base import Observation
from detectors.catalogue import Form, ModelCard
from detectors.coco import LABELS
from detectors.decoders import DENSE_CUT, READINGS, Found, Reading
from detectors.letterbox import Fit, fit, place, rect_shape
from detectors.model import Model, read_verified, start
from detectors.raw_head import without_box_decoding


class ObjectDetector:
    """A YOLO model behind ``PictureDetector``. ``floors`` gives the least score reported by label.

    ``reading`` is how the model's outputs are read, where that is not how its form is.
    """

    name = "objects"

    def __init__(self, model: Model, floors: Mapping[str, float], reading: Reading | None = None) -> None:
        self._model = model
        self._reading = reading or READINGS[model.card.form]
        self._floors = dict(floors)
        self._labels = {
            index: LABELS[name] for index, name in enumerate(model.card.classes) if LABELS.get(name) in self._floors
        }

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        return self._model.card

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the model's input; ``None`` where it takes any."""
        fixed = all(self._model.inputs[self._model.input_name][2:])
        return self.card.input if fixed else None

    def detect(self, frame: Frame) -> list[Observation]:
        """Return the persons, phones, books and laptops in ``frame``, best first, boxes in its pixels."""
        found = self.find(frame.image, min(self._floors.values()))
        seen = (self._observation(frame.at, found, index) for index in range(len(found.scores)))
        return [one for one in seen if one is not None]

    def find(self, image: NDArray[np.uint8], least: float, size: tuple[int, int] | None = None) -> Found:
        """Return everything of all the model's classes in ``image`` (H×W×3, BGR) above ``least``.

        ``size`` is the input's height and width for a model that takes any.
        """
        plan = self._plan((image.shape[0], image.shape[1]), size)
        prepared = self._reading.prepare(place(image, plan))
        outputs = self._model.run({self._model.input_name: prepared})
        found = self._reading.read(outputs, plan.size, least)
        return Found(boxes=plan.restore(found.boxes), scores=found.scores, classes=found.classes)

    def _plan(self, frame: tuple[int, int], wanted: tuple[int, int] | None) -> Fit:
        """Fit into the model's own size, or, where it takes any, into the smallest rectangle for this frame."""
        size = self.size or wanted or rect_shape(frame, max(self.card.input))
        return fit(frame, size, centred=self._reading.centred)

    def _observation(self, at: Instant, found: Found, index: int) -> Observation | None:
        label = self._labels.get(int(found.classes[index]))
        score = float(found.scores[index])
        if label is None or score < self._floors[label]:
            return None
        left, top, right, bottom = (float(edge) for edge in found.boxes[index])
        return Observation(detector=self.name, at=at, label=label, score=score, box=(left, top, right, bottom))


def load_object_detector(path: Path, card: ModelCard, floors: Mapping[str, float]) -> ObjectDetector:
    """Check and load ``path``; ``floors`` are the least scores reported by label. Raises ``UserFacing`` (E-MODEL-…)."""
    data = read_verified(path, card)
    cut = without_box_decoding(data) if card.form is Form.YOLO_DENSE else None
    if cut is not None:
        return ObjectDetector(start(cut, card), floors, DENSE_CUT)
    return ObjectDetector(start(data, card), floors)

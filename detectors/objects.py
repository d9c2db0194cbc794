"""Everything of a model's classes in one picture, with whichever YOLO model is at hand.

Runs in the detection thread. It never decides what is an incident and keeps nothing between pictures.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.catalogue import Form, ModelCard
from detectors.decoders import READINGS, Found, Reading
from detectors.float_again import float_again
from detectors.lean_graph import leaner
from detectors.letterbox import Fit, fit, place, rect_shape
from detectors.model import Model, read_verified, start
from detectors.onnx_graph import OnnxFile
from detectors.sparse_boxes import sparse_reading
from detectors.split_model import REACH, SplitModel, split


class ObjectDetector:
    """A YOLO model. ``reading`` is how its outputs are read, where that is not how its form is."""

    def __init__(self, model: Model, reading: Reading | None = None) -> None:
        self._model = model
        self._reading = reading or READINGS[model.card.form]

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        return self._model.card

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the model's input; ``None`` where it takes any."""
        fixed = all(self._model.inputs[self._model.input_name][2:])
        return self.card.input if fixed else None

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


def load_object_detector(path: Path, card: ModelCard) -> ObjectDetector:
    """Check and load ``path``. Raises ``UserFacing`` (E-MODEL-…)."""
    data = read_verified(path, card)
    try:
        file = OnnxFile.read(data)
    except ValueError:
        return ObjectDetector(start(data, card))  # which says that it can't be run
    floating = float_again(file)
    lean = leaner(floating)
    run = partial(start, card=card, exact=floating is file)
    parts = split(lean) if card.form is Form.YOLO_DENSE else None
    return ObjectDetector(run(lean.data)) if parts is None else _in_parts(parts, run)


def _in_parts(parts: SplitModel, run: Callable[..., Model]) -> ObjectDetector:
    trunk = run(parts.trunk)
    heads = []
    for name, head in parts.heads.items():
        features = trunk.outputs[name][1] or 1
        heads.append(run(head, probe={name: np.zeros((1, features, 2 * REACH + 1, 2 * REACH + 1), np.float32)}))
    return ObjectDetector(trunk, sparse_reading(heads))

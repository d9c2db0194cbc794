"""Tiny ONNX models made for tests: each shows one thing about how it was fed, or answers what it was told to."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from app.contract.incidents import Track
from app.contract.times import Instant
from capture.frames import AudioChunk, Frame
from detectors.base import Observation
from detectors.catalogue import Form, Grade, ModelCard, Task
from detectors.coco import LABELS
from detectors.objects import ObjectDetector
from detectors.tracks import Tracks

CLASSES = ("person", "cell phone", "bicycle")


def instant(seconds: float) -> Instant:
    """Return a moment on a made-up timeline."""
    return Instant(mono_ns=round(seconds * 1e9), utc_ms=1_800_000_000_000 + round(seconds * 1e3))


def picture(height: int, width: int, colour: tuple[int, int, int] = (0, 0, 0), at: float = 0) -> Frame:
    """Return a frame of one colour (blue, green, red)."""
    image = np.full((height, width, 3), colour, np.uint8)
    image.flags.writeable = False
    return Frame(source=Track.CAMERA, seq=0, at=instant(at), image=image)


def sound(pcm: NDArray[np.int16], *, seq: int = 0, rate: int = 16_000, at: float = 0) -> AudioChunk:
    """Return a chunk from the microphone."""
    return AudioChunk(source=Track.MICROPHONE, seq=seq, at=instant(at), rate=rate, pcm=pcm)


class FirstLook:
    """A model's first look alone, as a detector: what it finds of our labels, each from its own floor on."""

    name = "objects"

    def __init__(self, detector: ObjectDetector, floors: Mapping[str, float]) -> None:
        self._detector, self._floors = detector, floors
        self.card = detector.card

    def detect(self, frame: Frame) -> list[Observation]:
        found = self._detector.find(frame.image, min(self._floors.values()))
        seen = []
        for box, score, index in zip(found.boxes, found.scores, found.classes, strict=True):
            label = LABELS.get(self.card.classes[int(index)], "")
            if score >= self._floors.get(label, math.inf):
                left, top, right, bottom = (float(edge) for edge in box)
                edges = (left, top, right, bottom)
                seen.append(Observation(detector=self.name, at=frame.at, label=label, score=float(score), box=edges))
        return seen


def followed(tracks: Tracks, seen: Sequence[Observation]) -> list[Observation]:
    """Return what one look saw as the product tells it: things, best first, followed from look to look."""
    things = sorted((one for one in seen if one.label != "person" and one.box), key=lambda one: -one.score)
    which = tracks.follow([one.box for one in things if one.box])
    people = [one for one in seen if one.label == "person"]
    return people + [replace(one, values={"track": float(it)}) for one, it in zip(things, which, strict=True)]


def write(folder: Path, data: bytes, form: Form, size: tuple[int, int], **changes: object) -> tuple[Path, ModelCard]:
    """Write a model file and return it with its card."""
    task = {Form.YUNET: Task.FACES, Form.BLAZEFACE: Task.FACES, Form.SILERO: Task.SPEECH}.get(form, Task.OBJECTS)
    path = folder / f"{form}.onnx"
    path.write_bytes(data)
    facts: dict[str, object] = {
        "name": str(form),
        "task": task,
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "CC0-1.0",
        "form": form,
        "input": size,
        "classes": CLASSES,
        "grade": Grade.DEMONSTRATION,
        "rank": 1,
        "source": "made in a test",
    }
    return path, ModelCard(**(facts | changes))  # type: ignore[arg-type]  # the mixture's types are those above


def constant(output: NDArray[np.float32], shape: tuple[int | str, ...]) -> bytes:
    """A model that answers ``output`` to any picture."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["answer", "nothing"], ["output"]),
    ]
    return _model(nodes, {"images": shape}, {"answer": output, "zero": np.zeros((), np.float32)}, ["output"])


def channel_means(box: tuple[float, float, float, float], shape: tuple[int | str, ...]) -> bytes:
    """A ``yolo-dense`` model with one box whose three class scores are the means of the three input channels."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["means", "axis"], ["scores"]),
        helper.make_node("Concat", ["box", "scores"], ["output"], axis=1),
    ]
    given: dict[str, NDArray[Any]] = {
        "axis": np.array([2], np.int64),
        "box": np.array(box, np.float32).reshape(1, 4, 1),
    }
    return _model(nodes, {"images": shape}, given, ["output"])


def blazeface(boxes: NDArray[np.float32], logits: NDArray[np.float32]) -> bytes:
    """A model of BlazeFace's outputs that answers the same to any picture."""
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["boxes", "nothing"], ["regressors"]),
        helper.make_node("Add", ["logits", "nothing"], ["classificators"]),
    ]
    given = {"boxes": boxes, "logits": logits, "zero": np.zeros((), np.float32)}
    return _model(nodes, {"input": (1, 128, 128, 3)}, given, ["regressors", "classificators"])


def listener(*, watch: str) -> bytes:
    """A model of Silero's shape; its score is the mean of the ``context``, the ``window`` or the ``state`` it is fed.

    Each call answers the state plus one hundredth.
    """
    start, end = {"context": (0, 64), "window": (64, 576), "state": (0, 0)}[watch]
    nodes = [
        helper.make_node("Add", ["state", "step"], ["stateN"]),
        helper.make_node("Cast", ["sr"], ["rate"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["rate", "sixteen"], ["one"]),
    ]
    given: dict[str, NDArray[Any]] = {
        "step": np.array(0.01, np.float32),
        "sixteen": np.array(16_000, np.float32),
        "start": np.array([start], np.int64),
        "end": np.array([end], np.int64),
        "axes": np.array([1], np.int64),
        "scalar": np.array([1, 1], np.int64),
    }
    if watch == "state":
        nodes.append(helper.make_node("ReduceMean", ["state"], ["mean"], keepdims=0))
    else:
        nodes.append(helper.make_node("Slice", ["input", "start", "end", "axes"], ["part"]))
        nodes.append(helper.make_node("ReduceMean", ["part"], ["mean"], keepdims=0))
    nodes.append(helper.make_node("Mul", ["mean", "one"], ["score"]))
    nodes.append(helper.make_node("Reshape", ["score", "scalar"], ["output"]))
    inputs: dict[str, tuple[int | str, ...]] = {"input": ("batch", "samples"), "state": (2, "batch", 128), "sr": ()}
    return _model(nodes, inputs, given, ["output", "stateN"])


def _model(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int | str, ...]],
    given: Mapping[str, NDArray[Any]],
    outputs: list[str],
) -> bytes:
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "test",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64 if name == "sr" else TensorProto.FLOAT, shape)
            for name, shape in inputs.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in given.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return bytes(model.SerializeToString())

"""A dense model that is split gives the boxes of the whole one, computes few of them, and no other model is split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from detectors.boxes import Floats, suppress
from detectors.catalogue import Form
from detectors.decoders import READINGS, Found
from detectors.model import Array, Model, start
from detectors.objects import load_object_detector
from detectors.onnx_graph import OnnxFile
from detectors.sparse_boxes import sparse_reading
from detectors.split_model import SplitModel, split
from tests.unit.detector_models import write

SIZE = (192, 256)
STRIDES = (8, 16, 32)
FEATURES, HIDDEN, CLASSES = 4, 6, 3


class _Net:
    """A model with random weights that is built as ultralytics' are, from the features on."""

    def __init__(self, seed: int, *, last: str = "Sigmoid", convolutions: int = 2, own_features: bool = False) -> None:
        self._numbers = np.random.default_rng(seed)
        self._constants: list[TensorProto] = []
        self._nodes: list[NodeProto] = []
        boxes, scores = [], []
        for stride in STRIDES:
            features = self._activated(self._convolution("images", 3, FEATURES, stride, stride, 0))
            value = (
                self._activated(self._convolution("images", 3, FEATURES, stride, stride, 0))
                if own_features
                else features
            )
            inside = FEATURES
            for _ in range(convolutions):
                value, inside = self._activated(self._convolution(value, inside, HIDDEN, 3, 1, 1)), HIDDEN
            boxes.append(self._flat(self._convolution(value, inside, 64, 1, 1, 0, spread=4), 64))
            scores.append(
                self._flat(self._convolution(features, FEATURES, CLASSES, 1, 1, 0, bias=-2, spread=2), CLASSES)
            )
        self.distributions = self._add("Concat", boxes, axis=2)
        self.scores = self._add("Concat", scores, axis=2)
        turned = self._add("Transpose", [self._reshaped(self.distributions, [1, 4, 16, -1])], perm=[0, 2, 1, 3])
        # The arithmetic after the softmax, which no split model does, is shortened to a sum.
        sides = self._add("ReduceSum", [self._add("Softmax", [turned], axis=1), self._constant([1])], keepdims=0)
        self._add("Concat", [sides, self._add(last, [self.scores])], axis=1, name="output0")

    @property
    def file(self) -> bytes:
        """The model."""
        graph = helper.make_graph(
            self._nodes,
            "dense",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *SIZE])],
            [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 4 + CLASSES, None])],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return bytes(model.SerializeToString())

    def _convolution(
        self,
        value: str,
        inside: int,
        out: int,
        kernel: int,
        stride: int,
        pad: int,
        *,
        bias: float = 0.5,
        spread: float = 1,
    ) -> str:
        weights = self._numbers.normal(0, spread / np.sqrt(inside * kernel * kernel), (out, inside, kernel, kernel))
        shift = np.full(out, bias)
        given = [value, self._constant(weights.astype(np.float32)), self._constant(shift.astype(np.float32))]
        return self._add("Conv", given, strides=[stride] * 2, pads=[pad] * 4)

    def _activated(self, value: str) -> str:
        return self._add("Mul", [value, self._add("Sigmoid", [value])])

    def _flat(self, value: str, rows: int) -> str:
        return self._reshaped(value, [1, rows, -1])

    def _reshaped(self, value: str, shape: list[int]) -> str:
        return self._add("Reshape", [value, self._constant(shape)])

    def _constant(self, value: NDArray[np.float32] | list[int]) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _add(self, operator: str, inputs: list[str], *, name: str = "", **more: Any) -> str:
        name = name or f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], **more))
        return name


def _whole(distributions: Floats, scores: Floats) -> Floats:
    """Every place's box and scores, as ultralytics' last layers compute them: [4+C, N]."""
    chances = np.exp(distributions.reshape(4, 16, -1))
    chances /= chances.sum(axis=1, keepdims=True)
    left, top, right, bottom = np.einsum("sbn,b->sn", chances, np.arange(16))
    rows, columns, strides = [], [], []
    for stride in STRIDES:
        y, x = np.mgrid[: SIZE[0] // stride, : SIZE[1] // stride]
        rows.append(y.ravel() + 0.5)
        columns.append(x.ravel() + 0.5)
        strides.append(np.full(y.size, stride))
    x, y, stride_of = np.concatenate(columns), np.concatenate(rows), np.concatenate(strides)
    box = np.stack([x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom]) * stride_of
    return np.concatenate([box, 1 / (1 + np.exp(-scores))]).astype(np.float32)


def _picture(seed: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 1, (1, 3, *SIZE)).astype(np.float32)


def _expected(folder: Path, net: _Net, picture: Floats, least: float) -> Found:
    """What all places' boxes give, doubles among them."""
    data = OnnxFile.read(net.file).part({net.distributions: 3, net.scores: 3})
    _path, card = write(folder, data, Form.YOLO_DENSE, SIZE)
    distributions, scores = start(data, card).run({"images": picture})
    return READINGS[Form.YOLO_DENSE].decode([_whole(distributions[0], scores[0])], SIZE, least)


class _Watched(Model):
    """A head that counts the places it was shown."""

    shown = 0

    def run(self, inputs: Mapping[str, Array]) -> list[NDArray[np.float32]]:
        (features,) = inputs.values()
        self.shown += features.shape[2] * features.shape[3]
        return super().run(inputs)


def _parts(folder: Path, net: _Net) -> tuple[Model, list[_Watched]]:
    parts = split(OnnxFile.read(net.file))
    assert parts is not None
    _path, card = write(folder, parts.trunk, Form.YOLO_DENSE, SIZE)
    probe = np.zeros((1, FEATURES, 5, 5), np.float32)
    heads = [start(data, card, {name: probe}) for name, data in parts.heads.items()]
    return start(parts.trunk, card), [_Watched(head._session, card) for head in heads]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this module's models lie."""
    return tmp_path_factory.mktemp("models")


@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.25, 0.6, 0.95]))
@settings(max_examples=40)
def test_the_parts_give_the_boxes_of_the_whole(folder: Path, seed: int, least: float) -> None:
    net, picture = _Net(seed), _picture(seed)
    trunk, heads = _parts(folder, net)
    found = sparse_reading(heads).decode([output[0] for output in trunk.run({"images": picture})], SIZE, least)
    expected = _expected(folder, net, picture, least)
    assert found.classes.tolist() == expected.classes.tolist()
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-2)
    places = sum(SIZE[0] // stride * (SIZE[1] // stride) for stride in STRIDES)
    assert sum(head.shown for head in heads) <= places


def test_little_is_computed_where_little_is_found(folder: Path) -> None:
    net, picture = _Net(7), _picture(7)
    trunk, heads = _parts(folder, net)
    outputs = trunk.run({"images": picture})
    best = float(1 / (1 + np.exp(-max(scores.max() for scores in outputs[: len(STRIDES)]))))
    found = sparse_reading(heads).read(outputs, SIZE, best - 1e-6)
    assert len(found.scores) == 1
    assert 0 < sum(head.shown for head in heads) <= 25


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_place_inside_the_rectangle_of_others_gets_a_rectangle_of_its_own(folder: Path, *, mirrored: bool) -> None:
    net = _Net(10)
    trunk, heads = _parts(folder, net)
    outputs = [output[0] for output in trunk.run({"images": _picture(10)})]
    scores = [np.full_like(one, -50) for one in outputs[: len(STRIDES)]]
    corner = np.zeros((SIZE[0] // 8, SIZE[1] // 8), np.bool_)
    corner[5:19, 2] = corner[18, 2:27] = True  # an L, and at the edge of its rectangle something else
    corner[4, 27] = True
    corner = corner[:, ::-1] if mirrored else corner  # whichever comes first must not be overwritten
    scores[0][0, np.flatnonzero(corner)] = 5
    found = sparse_reading(heads).decode([*scores, *outputs[len(STRIDES) :]], SIZE, 0.5)
    data = OnnxFile.read(net.file).part({net.distributions: 3})
    _path, card = write(folder, data, Form.YOLO_DENSE, SIZE)
    (distributions,) = start(data, card).run({"images": _picture(10)})
    expected = READINGS[Form.YOLO_DENSE].decode([_whole(distributions[0], np.concatenate(scores, axis=1))], SIZE, 0.5)
    assert len(found.scores) == corner.sum()
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-2)


def test_nothing_found_asks_no_head(folder: Path) -> None:
    trunk, heads = _parts(folder, _Net(8))
    outputs = trunk.run({"images": _picture(8)})
    low = [scores - 1000 for scores in outputs[: len(STRIDES)]]
    found = sparse_reading(heads).read([*low, *outputs[len(STRIDES) :]], SIZE, 0.25)
    assert found.boxes.shape == (0, 4)
    assert not any(head.shown for head in heads)


def test_distributions_that_overflow_still_give_boxes(folder: Path) -> None:
    trunk, heads = _parts(folder, _Net(9))
    outputs = trunk.run({"images": _picture(9)})
    high = [features * 1e4 for features in outputs[len(STRIDES) :]]
    found = sparse_reading(heads).read([*outputs[: len(STRIDES)], *high], SIZE, 0.05)
    assert len(found.scores)
    assert np.isfinite(found.boxes).all()


def test_the_parts_are_models_without_what_they_do_not_need() -> None:
    parts = split(OnnxFile.read(_Net(3).file))
    assert isinstance(parts, SplitModel)
    for data in (parts.trunk, *parts.heads.values()):
        onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)
    kinds = [sorted(node.operator for node in OnnxFile.read(data).nodes) for data in parts.heads.values()]
    assert kinds == [["Conv", "Conv", "Conv", "Mul", "Mul", "Sigmoid", "Sigmoid"]] * len(STRIDES)
    assert "Softmax" not in {node.operator for node in OnnxFile.read(parts.trunk).nodes}
    constants = [len(onnx.load_model_from_string(data).graph.initializer) for data in parts.heads.values()]
    assert constants == [6] * len(STRIDES)


def test_the_object_detector_runs_the_parts(tmp_path: Path) -> None:
    net = _Net(4)
    path, card = write(tmp_path, net.file, Form.YOLO_DENSE, SIZE)
    image = np.random.default_rng(4).integers(0, 256, (*SIZE, 3), np.uint8)
    found = load_object_detector(path, card).find(image, 0.25)
    # The model's own boxes are shortened to nonsense, so these can only come from its parts.
    expected = _expected(tmp_path, net, READINGS[Form.YOLO_DENSE].prepare(image), 0.25)
    kept = suppress(expected.boxes, expected.scores, expected.classes, iou=0.7)
    assert len(found.scores) == len(kept) > 0
    np.testing.assert_allclose(found.boxes, expected.boxes[kept].clip(0, [SIZE[1], SIZE[0]] * 2), atol=1e-2)


@pytest.mark.parametrize(
    "net",
    [_Net(5, last="Relu"), _Net(5, convolutions=1), _Net(5, convolutions=3), _Net(5, own_features=True)],
    ids=["no-sigmoid", "one-convolution-less", "one-convolution-more", "features-of-its-own"],
)
def test_a_model_that_is_built_otherwise_is_left_whole(net: _Net) -> None:
    assert split(OnnxFile.read(net.file)) is None

"""A dense model cut before its boxes are made gives the same boxes, and no other model is cut."""

from pathlib import Path

import numpy as np
import onnx
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from detectors.boxes import Floats
from detectors.catalogue import Form
from detectors.decoders import DENSE_CUT, READINGS
from detectors.model import start
from detectors.objects import load_object_detector
from detectors.onnx_graph import OnnxFile
from detectors.raw_head import without_box_decoding
from tests.unit.detector_models import picture, write

SIZE = (64, 96)
PLACES = sum(SIZE[0] // stride * (SIZE[1] // stride) for stride in (8, 16, 32))
CLASSES = 3


def _values(seed: int) -> tuple[Floats, Floats]:
    """Return raw distributions [64, N] and raw scores [3, N], most of them far below any threshold."""
    numbers = np.random.default_rng(seed)
    distributions = numbers.normal(0, 3, (64, PLACES)).astype(np.float32)
    scores = numbers.normal(-4, 3, (CLASSES, PLACES)).astype(np.float32)
    return distributions, scores


def _whole(distributions: Floats, scores: Floats) -> Floats:
    """Every place's box and scores, as ultralytics' last layers compute them: [4+C, N]."""
    chances = np.exp(distributions.reshape(4, 16, -1))
    chances /= chances.sum(axis=1, keepdims=True)
    left, top, right, bottom = np.einsum("sbn,b->sn", chances, np.arange(16))
    rows, columns, strides = [], [], []
    for stride in (8, 16, 32):
        y, x = np.mgrid[: SIZE[0] // stride, : SIZE[1] // stride]
        rows.append(y.ravel() + 0.5)
        columns.append(x.ravel() + 0.5)
        strides.append(np.full(y.size, stride))
    x, y, stride_of = np.concatenate(columns), np.concatenate(rows), np.concatenate(strides)
    box = np.stack([x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom]) * stride_of
    return np.concatenate([box, 1 / (1 + np.exp(-scores))]).astype(np.float32)


def _model(distributions: Floats, scores: Floats, *, last: str = "Sigmoid") -> bytes:
    """A model that ends as ultralytics' do (the arithmetic after the softmax shortened to a sum)."""
    constants = [
        numpy_helper.from_array(distributions[None], "distributions"),
        numpy_helper.from_array(scores[None], "scores"),
        numpy_helper.from_array(np.array([1, 4, 16, PLACES]), "shape"),
        numpy_helper.from_array(np.array([1]), "axis"),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["distributions", "nothing"], ["split0"]),
        helper.make_node("Add", ["scores", "nothing"], ["split1"]),
        helper.make_node("Reshape", ["split0", "shape"], ["by_side"]),
        helper.make_node("Transpose", ["by_side"], ["turned"], perm=[0, 2, 1, 3]),
        helper.make_node("Softmax", ["turned"], ["chances"], axis=1),
        helper.make_node("ReduceSum", ["chances", "axis"], ["boxes"], keepdims=0),
        helper.make_node(last, ["split1"], ["activated"]),
        helper.make_node("Concat", ["boxes", "activated"], ["output0"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *SIZE])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 4 + CLASSES, PLACES])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.25, 0.6]))
def test_reading_the_cut_model_gives_the_boxes_of_the_whole(seed: int, least: float) -> None:
    distributions, scores = _values(seed)
    whole = READINGS[Form.YOLO_DENSE].read([_whole(distributions, scores)[None]], SIZE, least)
    cut = DENSE_CUT.read([distributions[None], scores[None]], SIZE, least)
    assert cut.classes.tolist() == whole.classes.tolist()
    np.testing.assert_allclose(cut.scores, whole.scores, atol=1e-6)
    np.testing.assert_allclose(cut.boxes, whole.boxes, atol=1e-3)


def test_numbers_that_overflow_are_still_a_distribution() -> None:
    distributions, scores = _values(1)
    found = DENSE_CUT.read([distributions[None] * 200, scores[None]], SIZE, 0.25)
    assert len(found.scores)
    assert np.isfinite(found.boxes).all()


def test_nothing_found_is_an_empty_answer() -> None:
    distributions, scores = _values(2)
    found = DENSE_CUT.read([distributions[None], scores[None] - 100], SIZE, 0.25)
    assert found.boxes.shape == (0, 4)


def test_the_cut_model_answers_what_its_last_layers_were_given(tmp_path: Path) -> None:
    distributions, scores = _values(3)
    cut = without_box_decoding(_model(distributions, scores))
    assert cut is not None
    onnx.checker.check_model(onnx.load_model_from_string(cut))
    assert {node.operator for node in OnnxFile(cut).nodes} == {"ReduceMean", "Mul", "Add"}
    _path, card = write(tmp_path, cut, Form.YOLO_DENSE, SIZE)
    first, second = start(cut, card).run({"images": np.ones((1, 3, *SIZE), np.float32)})
    np.testing.assert_array_equal(first[0], distributions)
    np.testing.assert_array_equal(second[0], scores)


def test_the_object_detector_runs_the_cut_model(tmp_path: Path) -> None:
    distributions, scores = _values(4)
    path, card = write(tmp_path, _model(distributions, scores), Form.YOLO_DENSE, SIZE)
    found = load_object_detector(path, card).find(picture(*SIZE).image, 0.25)
    # The model's own boxes are shortened to nonsense, so these can only come from the cut one.
    expected = READINGS[Form.YOLO_DENSE].read([_whole(distributions, scores)[None]], SIZE, 0.25)
    assert len(found.scores) == len(expected.scores) > 0
    limits = np.array([SIZE[1], SIZE[0]] * 2, np.float32)
    np.testing.assert_allclose(found.boxes, expected.boxes.clip(0, limits), atol=1e-3)


def test_a_model_that_ends_otherwise_is_left_whole() -> None:
    assert without_box_decoding(_model(*_values(5), last="Relu")) is None


@given(st.binary(max_size=200))
def test_bytes_that_are_no_model_are_not_cut(data: bytes) -> None:
    assert without_box_decoding(data) is None


def test_a_file_that_ends_early_is_not_cut() -> None:
    data = _model(*_values(6))
    assert without_box_decoding(data[: len(data) // 2]) is None

"""A model made leaner makes the same numbers; what only looks alike is left as it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from app.contract.errors import UserFacing
from detectors.boxes import Floats
from detectors.catalogue import Form
from detectors.lean_graph import leaner
from detectors.model import start
from detectors.objects import load_object_detector
from detectors.onnx_graph import OnnxFile
from tests.unit.detector_models import write

SIZE = (24, 32)
COARSE, FINE = 5, 4
"""Channels of the features that are enlarged and of those with which they are joined."""


class _Net:
    """The neck of an ultralytics model with random weights: enlarge, join, convolve, cut, join again."""

    def __init__(self, seed: int = 1) -> None:
        self._numbers = np.random.default_rng(seed)
        self.constants: list[TensorProto] = []
        self.nodes: list[NodeProto] = []
        self.outputs = ["found"]

    def add(self, operator: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        """Add an operation and return the first value that it makes."""
        made = list(outputs) or [f"{operator}-{len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, inputs, made, **attributes))
        return made[0]

    def constant(self, numbers: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        self.constants.append(numpy_helper.from_array(numbers, f"constant-{len(self.constants)}"))
        return self.constants[-1].name

    def convolution(self, read: str, inside: int, out: int, side: int = 1, **attributes: Any) -> str:
        """Add a convolution with its bias."""
        weights = self._numbers.normal(0, inside**-0.5, (out, inside // attributes.get("group", 1), side, side))
        bias = self._numbers.normal(0, 0.1, out)
        given = [self.constant(numbers.astype(np.float32)) for numbers in (weights, bias)]
        return self.add("Conv", [read, *given], kernel_shape=[side, side], **attributes)

    def activated(self, value: str) -> str:
        """Add a SiLU."""
        return self.add("Mul", [value, self.add("Sigmoid", [value])])

    def features(self) -> tuple[str, str]:
        """Add the features of two scales and return them, enlarged and fine."""
        fine = self.activated(self.convolution("images", 3, FINE, 3, strides=[2, 2], pads=[1, 1, 1, 1]))
        coarse = self.activated(self.convolution(fine, FINE, COARSE, 3, strides=[2, 2], pads=[1, 1, 1, 1]))
        return self.enlarged(coarse), fine

    def enlarged(self, value: str, *, mode: str = "nearest", scales: tuple[float, ...] = (1, 1, 2, 2)) -> str:
        """Add what doubles height and width."""
        given = [value, "", self.constant(np.array(scales, np.float32))]
        return self.add("Resize", given, mode=mode, coordinate_transformation_mode="asymmetric")

    def cut(self, value: str, *sizes: int, axis: int = 1) -> list[str]:
        """Cut the channels of a value and return the parts."""
        parts = [f"part-{len(self.nodes)}-{place}" for place in range(len(sizes))]
        self.add("Split", [value, self.constant(np.array(sizes, np.int64))], *parts, axis=axis)
        return parts

    def joined(self, *values: str) -> str:
        """Join the channels of values."""
        return self.add("Concat", list(values), axis=1)

    @property
    def file(self) -> OnnxFile:
        """The model."""
        picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *SIZE])
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in self.outputs]
        graph = helper.make_graph(self.nodes, "net", [picture], ends, self.constants)
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return OnnxFile.read(model.SerializeToString())


def _neck(seed: int, *, others_first: bool, users: int, cuts: tuple[int, ...]) -> _Net:
    net = _Net(seed)
    grown, fine = net.features()
    both = net.joined(fine, grown) if others_first else net.joined(grown, fine)
    ends = []
    for _ in range(users):
        whole = net.activated(net.convolution(both, COARSE + FINE, sum(cuts)))
        parts = net.cut(whole, *cuts)
        ends.append(net.joined(*parts[::-1]))
    net.add("Concat", ends, "found", axis=1)
    return net


def _answers(folder: Path, file: OnnxFile) -> list[Floats]:
    _path, card = write(folder, file.data, Form.YOLO_DENSE, SIZE)
    picture = np.random.default_rng(2).normal(0, 1, (1, 3, *SIZE)).astype(np.float32)
    return start(file.data, card).run({"images": picture})


def _kinds(file: OnnxFile) -> list[str]:
    return [node.operator for node in file.nodes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this module's models lie."""
    return tmp_path_factory.mktemp("models")


@given(st.integers(0, 10_000), st.booleans(), st.integers(1, 3), st.sampled_from([(3, 3), (2, 5), (1, 2, 3)]))
@settings(max_examples=30)
def test_a_leaner_model_makes_the_same_numbers(
    folder: Path, seed: int, others_first: bool, users: int, cuts: tuple[int, ...]
) -> None:
    file = _neck(seed, others_first=others_first, users=users, cuts=cuts).file
    lean = leaner(file)
    onnx.checker.check_model(onnx.load_model_from_string(lean.data), full_check=True)
    for made, expected in zip(_answers(folder, lean), _answers(folder, file), strict=True):
        np.testing.assert_allclose(made, expected, atol=1e-5)
    # Nothing is cut any more, and only what has been convolved is enlarged.
    assert "Split" not in _kinds(lean)
    growths = [node for node in lean.nodes if node.operator == "Resize"]
    assert len(growths) == users * len(cuts)
    assert all(lean.maker(node.inputs[0], "Conv") is not None for node in growths)


def test_what_is_not_needed_any_more_is_left_out() -> None:
    file = _neck(3, others_first=False, users=1, cuts=(3, 3)).file
    lean = leaner(file)
    # The join that is left is the one after the cut; weights and biases: two scales, twice before and after enlarging.
    assert _kinds(lean).count("Concat") == _kinds(file).count("Concat") - 1
    assert _kinds(lean).count("Conv") == 2 + 2 * 2
    constants = onnx.load_model_from_string(lean.data).graph.initializer
    assert sum(len(one.dims) == 4 for one in constants) == 6
    assert sum(len(one.dims) == 1 and one.data_type == TensorProto.FLOAT for one in constants) == 4 + 1  # and scales


def test_values_that_are_shown_are_still_made(folder: Path) -> None:
    net = _neck(4, others_first=False, users=1, cuts=(3, 3))
    net.outputs.append(next(node.output[0] for node in net.nodes if node.op_type == "Concat"))
    lean = leaner(net.file)
    for made, expected in zip(_answers(folder, lean), _answers(folder, net.file), strict=True):
        np.testing.assert_allclose(made, expected, atol=1e-5)
    assert _kinds(lean).count("Conv") == 2 + 2  # and none beside those that the shown ones need


def _blurred(net: _Net) -> None:
    _, fine = net.features()
    coarse = net.activated(net.convolution(fine, FINE, COARSE, 3, strides=[2, 2], pads=[1, 1, 1, 1]))
    net.convolution(net.joined(net.enlarged(coarse, mode="linear"), fine), COARSE + FINE, 6)


def _neighbours_too(net: _Net) -> None:
    net.convolution(net.joined(*net.features()), COARSE + FINE, 6, 3)


def _every_other_place(net: _Net) -> None:
    net.convolution(net.joined(*net.features()), COARSE + FINE, 6, strides=[2, 2])


def _at_a_margin(net: _Net) -> None:
    net.convolution(net.joined(*net.features()), COARSE + FINE, 6, pads=[1, 1, 1, 1])


def _in_groups(net: _Net) -> None:
    net.convolution(net.joined(*net.features()), COARSE + FINE, 6, group=3)


def _read_by_another(net: _Net) -> None:
    both = net.joined(*net.features())
    wide = net.convolution(both, COARSE + FINE, COARSE + FINE)
    net.add("Add", [wide, both])


def _more_channels(net: _Net) -> None:
    grown, fine = net.features()
    wider = net.enlarged(fine, scales=(1, 2, 1, 1))
    net.convolution(net.joined(grown, wider), COARSE + 2 * FINE, 6)


def _of_rows(net: _Net) -> None:
    _, fine = net.features()
    rows = SIZE[0] // 2  # as many as channels, so that only the axis tells
    upper, lower = net.cut(net.activated(net.convolution(fine, FINE, rows)), rows // 2, rows // 2, axis=2)
    net.joined(upper, lower)


def _read_whole(net: _Net) -> None:
    _, fine = net.features()
    net.add("Add", [fine, net.joined(*net.cut(fine, 1, FINE - 1)[::-1])])


def _grouped_and_cut(net: _Net) -> None:
    _, fine = net.features()
    net.joined(*net.cut(net.activated(net.convolution(fine, FINE, 6, group=2)), 3, 3))


def _activated_otherwise(net: _Net) -> None:
    _, fine = net.features()
    one, other = net.convolution(fine, FINE, 6), net.convolution(fine, FINE, 6)
    net.joined(*net.cut(net.add("Mul", [one, net.add("Sigmoid", [other])]), 3, 3))


ALIKE = [
    _blurred,
    _neighbours_too,
    _every_other_place,
    _at_a_margin,
    _in_groups,
    _read_by_another,
    _more_channels,
    _of_rows,
    _read_whole,
    _grouped_and_cut,
    _activated_otherwise,
]


@pytest.mark.parametrize("build", ALIKE, ids=[build.__name__.strip("_") for build in ALIKE])
def test_what_only_looks_alike_is_left_as_it_is(build: Callable[[_Net], None]) -> None:
    net = _Net(5)
    build(net)
    net.nodes[-1].output[0] = "found"
    file = net.file
    assert leaner(file) is file


@given(st.binary(max_size=200))
def test_bytes_that_are_no_model_are_refused_or_empty(data: bytes) -> None:
    try:
        file = OnnxFile.read(data)
    except ValueError:
        return
    assert leaner(file) is file


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    data = _neck(6, others_first=False, users=1, cuts=(3, 3)).file.data
    path, card = write(tmp_path, data[: len(data) // 2], Form.YOLO_DENSE, SIZE)
    with pytest.raises(UserFacing) as refusal:
        load_object_detector(path, card)
    assert refusal.value.code == "E-MODEL-BROKEN"

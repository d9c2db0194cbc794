"""An INT8 model is computed in float32 at its first convolution, in its heads and around softmax, and nowhere else."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from detectors.boxes import Floats
from detectors.catalogue import Form
from detectors.float_again import float_again
from detectors.model import start
from detectors.onnx_graph import OnnxFile
from tests.unit.detector_models import write

SIZE = (8, 8)


class _Net:
    """A model with random weights of whole numbers; ``quantised`` says whether all else is, too."""

    def __init__(self, *, quantised: bool = True, zero: int = 0, per_channel: bool = True) -> None:
        self._numbers = np.random.default_rng(1)
        self._quantised, self._zero, self._per_channel = quantised, zero, per_channel
        self._constants: list[TensorProto] = []
        self._nodes: list[NodeProto] = []

    def add(self, operator: str, inputs: list[str], *, name: str = "", **attributes: Any) -> str:
        """Add an operation and return what it makes."""
        made = name or f"{operator}-{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [made], **attributes))
        return made

    def constant(self, numbers: NDArray[Any], *, listed: bool = False) -> str:
        """Add a constant, number by number or as it lies in memory, and return its name."""
        name = f"constant-{len(self._constants)}"
        kind = helper.np_dtype_to_tensor_dtype(numbers.dtype)
        one_by_one = helper.make_tensor(name, kind, numbers.shape, numbers.flatten().tolist())
        self._constants.append(one_by_one if listed else numpy_helper.from_array(numbers, name))
        return name

    def around(self, value: str, scale: float = 0.05) -> str:
        """Quantise and dequantise a value, where that is asked for."""
        if not self._quantised:
            return value
        given = [self.constant(np.array(scale, np.float32), listed=True), self.constant(np.array(128, np.uint8))]
        return self.add("DequantizeLinear", [self.add("QuantizeLinear", [value, *given]), *given])

    def convolution(self, value: str, inside: int, out: int) -> str:
        """Add a 1x1 convolution that reads a value around which it was quantised."""
        weights = self._numbers.integers(-127, 128, (out, inside, 1, 1)).astype(np.int8)
        bias = self._numbers.integers(-100, 100, out).astype(np.int32)
        scales = self._numbers.uniform(0.005, 0.02, out if self._per_channel else ()).astype(np.float32)
        stored = (
            (weights, scales, np.full(scales.shape, self._zero, np.int8)),
            (bias, scales / 8, np.zeros(scales.shape, np.int32)),
        )
        read = []
        for numbers, scale, zero in stored:
            given = [self.constant(numbers), self.constant(scale, listed=True), self.constant(zero, listed=True)]
            read.append(self.add("DequantizeLinear", given, axis=0))
        return self.add("Conv", [value, *read], name=f"convolved-{len(self._nodes)}")

    def activated(self, value: str, *, quantised: bool = True) -> str:
        """Add x · sigmoid(x), quantised in between or not."""
        gate = self.add("Sigmoid", [value])
        return self.add("Mul", [value, self.around(gate, 0.01) if quantised else gate])

    @property
    def file(self) -> OnnxFile:
        """The model; what was made last is its output."""
        self._nodes[-1].output[0] = "found"
        picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *SIZE])
        found = helper.make_tensor_value_info("found", TensorProto.FLOAT, [None] * 3)
        graph = helper.make_graph(self._nodes, "net", [picture], [found], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return OnnxFile.read(model.SerializeToString())


def _whole(net: _Net, *, middle: bool) -> OnnxFile:
    """A first convolution, perhaps one in the middle, a head whose activation is not quantised, and what flattens."""
    value = net.around(net.activated(net.around(net.convolution(net.around("images"), 3, 8))))
    if middle:
        value = net.around(net.activated(net.around(net.convolution(value, 8, 8))))
    value = net.around(net.activated(net.around(net.convolution(value, 8, 8)), quantised=False))
    value = net.around(net.convolution(value, 8, 4))
    net.add("Reshape", [value, net.constant(np.array([1, 4, -1]))])
    return net.file


def _answer(folder: Path, file: OnnxFile) -> Floats:
    _path, card = write(folder, file.data, Form.YOLO_DENSE, SIZE)
    picture = np.random.default_rng(2).uniform(0, 1, (1, 3, *SIZE)).astype(np.float32)
    return start(file.data, card).run({"images": picture})[0]


def _count(file: OnnxFile, operator: str) -> int:
    return sum(node.operator == operator for node in file.nodes)


@pytest.mark.parametrize("per_channel", [True, False], ids=["scale-each", "one-scale"])
def test_a_model_of_first_and_last_convolutions_is_computed_in_float(tmp_path: Path, *, per_channel: bool) -> None:
    file = float_again(_whole(_Net(per_channel=per_channel), middle=False))
    assert _count(file, "QuantizeLinear") == 0
    assert _count(file, "DequantizeLinear") == 0
    onnx.checker.check_model(onnx.load_model_from_string(file.data))
    expected = _answer(tmp_path, _whole(_Net(quantised=False, per_channel=per_channel), middle=False))
    np.testing.assert_allclose(_answer(tmp_path, file), expected, atol=1e-5)


def test_what_is_in_the_middle_stays_quantised() -> None:
    whole = _whole(_Net(), middle=True)
    file = float_again(whole)
    # Around the middle one: what it reads, its sum, its gate, and its result, which only a head reads, no longer.
    assert _count(file, "QuantizeLinear") == 3
    # Two for its weights and bias, one for what it reads, one for each of the others.
    assert _count(file, "DequantizeLinear") == 2 + 3


def test_what_others_read_stays_quantised_for_them() -> None:
    net = _Net()
    first = net.around(net.activated(net.around(net.convolution(net.around("images"), 3, 8))))
    head = net.around(net.convolution(first, 8, 4))
    flat = net.add("Reshape", [head, net.constant(np.array([1, 4, -1]))])
    body = net.add("MaxPool", [first], kernel_shape=[1, 1])
    rest = net.add("Reshape", [net.around(body), net.constant(np.array([1, 8, -1]))])
    net.add("Concat", [flat, rest], axis=1)
    file = float_again(net.file)
    pool = next(node for node in file.nodes if node.operator == "MaxPool")
    assert file.maker(pool.inputs[0], "DequantizeLinear") is not None


def test_softmax_is_computed_in_float(tmp_path: Path) -> None:
    def built(net: _Net) -> OnnxFile:
        value = net.around(net.convolution(net.around("images"), 3, 4))
        value = net.around(net.add("Softmax", [value], axis=1), 0.01)
        net.add("Reshape", [value, net.constant(np.array([1, 4, -1]))])
        return net.file

    file = float_again(built(_Net()))
    assert _count(file, "QuantizeLinear") == 0
    np.testing.assert_allclose(_answer(tmp_path, file), _answer(tmp_path, built(_Net(quantised=False))), atol=1e-6)


@pytest.mark.parametrize("net", [_Net(quantised=False), _Net(zero=3)], ids=["no-bytes-at-first", "zero-elsewhere"])
def test_what_is_stored_otherwise_is_left_as_it_is(net: _Net) -> None:
    file = _whole(net, middle=False)
    assert float_again(file) is file

"""Turn a TensorFlow Lite model into ONNX.

Owns the meaning of the TFLite operators that MediaPipe's face detector uses: convolution, depthwise convolution,
addition, maximum pooling, padding, ReLU, reshape, concatenation and float16 constants. Anything else is refused
by name. Runs at set-up in the thread that fetches models; it executes nothing from the file. Field numbers:
https://github.com/tensorflow/tensorflow/blob/v2.18.0/tensorflow/compiler/mlir/lite/schema/schema.fbs

TFLite keeps pictures as batch × height × width × channels, ONNX as batch × channels × height × width: values of
rank 4 are turned once behind the input and back where a reshape reads their order.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.contract.errors import UserFacing
from app.models.flatbuffer import Table
from app.models.onnx_file import OnnxGraph

_ADD, _CONCATENATION, _CONV_2D, _DEPTHWISE, _DEQUANTIZE = 0, 2, 3, 4, 6
_MAX_POOL_2D, _RELU, _RESHAPE, _PAD = 17, 19, 22, 34
_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]
_ELEMENTS = {0: "<f4", 1: "<f2", 2: "<i4", 4: "<i8"}
_SAME, _NO_ACTIVATION, _RELU_ACTIVATION = 0, 0, 1


@dataclass(slots=True, kw_only=True)
class _Model:
    """The TFLite subgraph being read and the ONNX graph being written."""

    tensors: list[Table]
    buffers: list[Table]
    graph: OnnxGraph
    values: dict[int, str] = field(default_factory=dict)
    constants: dict[int, NDArray[np.generic]] = field(default_factory=dict)

    def shape(self, index: int) -> list[int]:
        return self.tensors[index].ints(0)

    def constant(self, index: int) -> NDArray[np.generic]:
        """Return a constant tensor, whether stored or computed from a stored one."""
        if index not in self.constants:
            tensor = self.tensors[index]
            element = _ELEMENTS.get(tensor.number(1, "b"))
            data = self.buffers[tensor.number(2, "I")].octets(0)
            if element is None or not len(data):
                raise _refusal(f"tensor {tensor.text(3)!r} is not a constant of a known type")
            self.constants[index] = data.view(element).reshape(tensor.ints(0))
        return self.constants[index]

    def weights(self, index: int) -> NDArray[np.float32]:
        return self.constant(index).astype(np.float32)


def tflite_to_onnx(data: bytes) -> bytes:
    """Return the bytes of an ONNX model with the same inputs and outputs, in the same order and layout, by name.

    ``data`` is a TFLite file with float weights (float32 or float16). Raises ``UserFacing`` for what is not known.
    """
    try:
        return _convert(data)
    except (struct.error, ValueError, IndexError) as error:
        raise _refusal(str(error)) from error


def _convert(data: bytes) -> bytes:
    root = Table.root(data, b"TFL3")
    # A code above 127 stands in the newer field 3; the older field 0 then holds a placeholder.
    codes = [max(code.number(0, "b"), code.number(3, "i")) for code in root.tables(1)]
    (subgraph,) = root.tables(2)
    model = _Model(tensors=subgraph.tables(0), buffers=root.tables(4), graph=OnnxGraph(name="tflite"))
    for index in subgraph.ints(1):
        name = model.graph.input(model.tensors[index].text(3), model.shape(index))
        picture = len(model.shape(index)) == 4
        model.values[index] = model.graph.add("Transpose", [name], perm=_TO_NCHW) if picture else name
    for operator in subgraph.tables(3):
        _add_operator(model, codes[operator.number(0, "I")], operator)
    for index in subgraph.ints(2):
        name = model.tensors[index].text(3)
        if len(model.shape(index)) == 4:
            model.graph.add("Transpose", [model.values[index]], perm=_TO_NHWC, output=name)
        else:
            model.graph.add("Identity", [model.values[index]], output=name)
        model.graph.output(name, model.shape(index))
    return model.graph.serialise(properties={})


def _add_operator(model: _Model, code: int, operator: Table) -> None:
    inputs, (output,) = operator.ints(1), operator.ints(2)
    options = operator.table(4)
    graph, values = model.graph, model.values
    match code:
        case _ if code == _DEQUANTIZE:
            model.constants[output] = model.weights(inputs[0])
            return
        case _ if code in {_CONV_2D, _DEPTHWISE}:
            value = _convolution(model, inputs, _required(options), depthwise=code == _DEPTHWISE)
        case _ if code == _MAX_POOL_2D:
            value = _max_pool(model, inputs[0], _required(options))
        case _ if code == _RELU:
            value = graph.add("Relu", [values[inputs[0]]])
        case _ if code == _ADD:
            value = graph.add("Add", [values[index] for index in inputs])
            value = _activated(graph, value, options.number(0, "b") if options else 0)
        case _ if code == _PAD:
            begin, end = model.constant(inputs[1]).astype(np.int64)[_TO_NCHW].T
            value = graph.add("Pad", [values[inputs[0]], graph.constant(np.concatenate([begin, end]))])
        case _ if code == _RESHAPE:
            value = _reshape(model, inputs[0], output)
        case _ if code == _CONCATENATION:
            value = _concatenation(model, inputs, output, _required(options))
        case _:
            raise _refusal(f"operator {code} is not known")
    values[output] = value


def _convolution(model: _Model, inputs: Sequence[int], options: Table, *, depthwise: bool) -> str:
    """Add a convolution. TFLite's weights are out × h × w × in, or 1 × h × w × out when depthwise."""
    weights = model.weights(inputs[1])
    kernel = list(weights.shape[1:3])
    strides = [options.number(2, "i"), options.number(1, "i")]
    first_dilation = 5 if depthwise else 4
    if any(options.number(at, "i", 1) != 1 for at in (first_dilation, first_dilation + 1)):
        raise _refusal("dilated convolutions are not known")
    groups = weights.shape[3] if depthwise else 1
    order = [3, 0, 1, 2] if depthwise else _TO_NCHW
    value = model.graph.add(
        "Conv",
        [
            model.values[inputs[0]],
            model.graph.constant(weights.transpose(order)),
            model.graph.constant(model.weights(inputs[2])),
        ],
        kernel_shape=kernel,
        strides=strides,
        pads=_pads(options, model.shape(inputs[0])[1:3], kernel, strides),
        group=groups,
    )
    return _activated(model.graph, value, options.number(4 if depthwise else 3, "b"))


def _max_pool(model: _Model, source: int, options: Table) -> str:
    strides = [options.number(2, "i"), options.number(1, "i")]
    kernel = [options.number(4, "i"), options.number(3, "i")]
    value = model.graph.add(
        "MaxPool",
        [model.values[source]],
        kernel_shape=kernel,
        strides=strides,
        pads=_pads(options, model.shape(source)[1:3], kernel, strides),
    )
    return _activated(model.graph, value, options.number(5, "b"))


def _reshape(model: _Model, source: int, output: int) -> str:
    value = model.values[source]
    if len(model.shape(source)) == 4:
        value = model.graph.add("Transpose", [value], perm=_TO_NHWC)
    shape = model.graph.constant(np.array(model.shape(output), np.int64))
    value = model.graph.add("Reshape", [value, shape])
    if len(model.shape(output)) == 4:
        value = model.graph.add("Transpose", [value], perm=_TO_NCHW)
    return value


def _concatenation(model: _Model, inputs: Sequence[int], output: int, options: Table) -> str:
    rank = len(model.shape(output))
    axis = options.number(0, "i") % rank
    if rank == 4:
        axis = _TO_NCHW.index(axis)
    value = model.graph.add("Concat", [model.values[index] for index in inputs], axis=axis)
    return _activated(model.graph, value, options.number(1, "b"))


def _activated(graph: OnnxGraph, value: str, activation: int) -> str:
    if activation == _NO_ACTIVATION:
        return value
    if activation == _RELU_ACTIVATION:
        return graph.add("Relu", [value])
    raise _refusal(f"activation {activation} is not known")


def _pads(options: Table, size: Sequence[int], kernel: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Return ONNX's pads [top, left, bottom, right]; TFLite's SAME puts the odd pixel at the end."""
    if options.number(0, "b") != _SAME:
        return [0, 0, 0, 0]
    total = [
        max((-(-length // stride) - 1) * stride + window - length, 0)
        for length, window, stride in zip(size, kernel, strides, strict=True)
    ]
    begin = [amount // 2 for amount in total]
    return [*begin, *(amount - first for amount, first in zip(total, begin, strict=True))]


def _required(options: Table | None) -> Table:
    if options is None:
        raise _refusal("an operator lacks its options")
    return options


def _refusal(reason: str) -> UserFacing:
    return UserFacing(
        f"A TensorFlow Lite model can't be read: {reason}.", advice="Use another model.", code="E-MODEL-FORMAT"
    )

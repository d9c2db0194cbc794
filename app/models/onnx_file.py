"""Write an ONNX file without the ``onnx`` package.

Owns the few ONNX messages that our converters need. It is used at set-up, in whatever
thread fetches models, and keeps nothing. Writing the bytes here means that a student's machine needs no further
package and that the same weights always give the same file, whose sha256 ``resources/models.toml`` pins.
Field numbers: https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx.proto
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.onnx_tensor import tensor
from detectors.protobuf_wire import FIXED32, delimited, encoded, numbered

Attribute = int | float | str | Sequence[int]

_IR_VERSION = 8
_OPSET = 17
_FLOAT_ELEMENTS = 1
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7


@dataclass(slots=True, kw_only=True)
class OnnxGraph:
    """A graph under construction. Names of values are made here, so that the same calls give the same bytes."""

    name: str
    _nodes: list[bytes] = field(default_factory=list)
    _initializers: list[bytes] = field(default_factory=list)
    _inputs: list[bytes] = field(default_factory=list)
    _outputs: list[bytes] = field(default_factory=list)

    def input(self, name: str, shape: Sequence[int]) -> str:
        """Declare a float32 input and return its name."""
        self._inputs.append(_value_info(name, shape))
        return name

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Store a tensor (float32 or int64) and return its name."""
        name = f"c{len(self._initializers)}"
        self._initializers.append(tensor(name, values))
        return name

    def add(self, operator: str, inputs: Sequence[str], *, output: str = "", **attributes: Attribute) -> str:
        """Append a node with one output and return that output's name."""
        output = output or f"v{len(self._nodes)}"
        packed = b"".join(delimited(1, name.encode()) for name in inputs)
        packed += delimited(2, output.encode())
        packed += delimited(4, operator.encode())
        packed += b"".join(delimited(5, _attribute(key, attributes[key])) for key in sorted(attributes))
        self._nodes.append(packed)
        return output

    def output(self, name: str, shape: Sequence[int]) -> None:
        """Declare an already computed value as an output of the model."""
        self._outputs.append(_value_info(name, shape))

    def serialise(self, *, properties: Mapping[str, str]) -> bytes:
        """Return the bytes of the ONNX model (opset 17), with ``properties`` as its metadata."""
        graph = b"".join(delimited(1, node) for node in self._nodes)
        graph += delimited(2, self.name.encode())
        graph += b"".join(delimited(5, tensor) for tensor in self._initializers)
        graph += b"".join(delimited(11, value) for value in self._inputs)
        graph += b"".join(delimited(12, value) for value in self._outputs)
        model = numbered(1, _IR_VERSION)
        model += delimited(2, b"fairlock")
        model += delimited(7, graph)
        model += delimited(8, numbered(2, _OPSET))
        for key in sorted(properties):
            model += delimited(14, delimited(1, key.encode()) + delimited(2, properties[key].encode()))
        return model


def _attribute(name: str, value: Attribute) -> bytes:
    packed = delimited(1, name.encode())
    if isinstance(value, float):
        return packed + encoded(2 << 3 | FIXED32) + struct.pack("<f", value) + numbered(20, _FLOAT)
    if isinstance(value, int):
        return packed + numbered(3, value) + numbered(20, _INT)
    if isinstance(value, str):
        return packed + delimited(4, value.encode()) + numbered(20, _STRING)
    return packed + b"".join(numbered(8, item) for item in value) + numbered(20, _INTS)


def _value_info(name: str, shape: Sequence[int]) -> bytes:
    dimensions = b"".join(delimited(1, numbered(1, size)) for size in shape)
    tensor = numbered(1, _FLOAT_ELEMENTS) + delimited(2, dimensions)
    return delimited(1, name.encode()) + delimited(2, delimited(1, tensor))

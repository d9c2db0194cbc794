"""Write an ONNX file without the ``onnx`` package.

Owns the protobuf encoding of the few ONNX messages that our converters need. It is used at set-up, in whatever
thread fetches models, and keeps nothing. Writing the bytes here means that a student's machine needs no further
package and that the same weights always give the same file, whose sha256 ``resources/models.toml`` pins.
Field numbers: https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx.proto
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Attribute = int | float | str | Sequence[int]

_IR_VERSION = 8
_OPSET = 17
_ELEMENT_TYPE = {"float32": 1, "int64": 7}
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
        packed = b"".join(_varint_field(1, size) for size in values.shape)
        packed += _varint_field(2, _ELEMENT_TYPE[values.dtype.name])
        packed += _bytes_field(8, name.encode())
        packed += _bytes_field(9, np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes())
        self._initializers.append(packed)
        return name

    def add(self, operator: str, inputs: Sequence[str], *, output: str = "", **attributes: Attribute) -> str:
        """Append a node with one output and return that output's name."""
        output = output or f"v{len(self._nodes)}"
        packed = b"".join(_bytes_field(1, name.encode()) for name in inputs)
        packed += _bytes_field(2, output.encode())
        packed += _bytes_field(4, operator.encode())
        packed += b"".join(_bytes_field(5, _attribute(key, attributes[key])) for key in sorted(attributes))
        self._nodes.append(packed)
        return output

    def output(self, name: str, shape: Sequence[int]) -> None:
        """Declare an already computed value as an output of the model."""
        self._outputs.append(_value_info(name, shape))

    def serialise(self, *, properties: Mapping[str, str]) -> bytes:
        """Return the bytes of the ONNX model (opset 17), with ``properties`` as its metadata."""
        graph = b"".join(_bytes_field(1, node) for node in self._nodes)
        graph += _bytes_field(2, self.name.encode())
        graph += b"".join(_bytes_field(5, tensor) for tensor in self._initializers)
        graph += b"".join(_bytes_field(11, value) for value in self._inputs)
        graph += b"".join(_bytes_field(12, value) for value in self._outputs)
        model = _varint_field(1, _IR_VERSION)
        model += _bytes_field(2, b"fairlock")
        model += _bytes_field(7, graph)
        model += _bytes_field(8, _varint_field(2, _OPSET))
        for key in sorted(properties):
            model += _bytes_field(14, _bytes_field(1, key.encode()) + _bytes_field(2, properties[key].encode()))
        return model


def _attribute(name: str, value: Attribute) -> bytes:
    packed = _bytes_field(1, name.encode())
    if isinstance(value, float):
        return packed + _tag(2, 5) + struct.pack("<f", value) + _varint_field(20, _FLOAT)
    if isinstance(value, int):
        return packed + _varint_field(3, value) + _varint_field(20, _INT)
    if isinstance(value, str):
        return packed + _bytes_field(4, value.encode()) + _varint_field(20, _STRING)
    return packed + b"".join(_varint_field(8, item) for item in value) + _varint_field(20, _INTS)


def _value_info(name: str, shape: Sequence[int]) -> bytes:
    dimensions = b"".join(_bytes_field(1, _varint_field(1, size)) for size in shape)
    tensor = _varint_field(1, _ELEMENT_TYPE["float32"]) + _bytes_field(2, dimensions)
    return _bytes_field(1, name.encode()) + _bytes_field(2, _bytes_field(1, tensor))


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # protobuf writes a negative int64 as its two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint_field(number: int, value: int) -> bytes:
    return _tag(number, 0) + _varint(value)


def _bytes_field(number: int, value: bytes) -> bytes:
    return _tag(number, 2) + _varint(len(value)) + value

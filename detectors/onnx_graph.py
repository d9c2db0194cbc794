"""Reading the graph of an ONNX file and cutting it shorter, without the ``onnx`` package.

ONNX Runtime computes everything on the way to a model's outputs and has no option to stop earlier, so stopping earlier
means other outputs. Owns the few protobuf messages needed for that and keeps all others byte for byte. Pure; runs once,
in the thread that loads a model, on bytes whose sha256 has been checked.
Field numbers: https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx.proto
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_OUTPUT = 1, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# ``ValueInfoProto.type`` of a float32 tensor with three dimensions of any length.
_FLOAT_TENSOR = b"\x12\x0c\x0a\x0a\x08\x01\x12\x06" + b"\x0a\x00" * 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation: what it is called, and the names of the values that it reads and makes."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a message: its number, its bytes with the tag, and without tag and length."""

    number: int
    raw: bytes
    value: bytes


class OnnxFile:
    """A model file taken apart. Raises ``ValueError`` for bytes that are no protobuf message."""

    def __init__(self, data: bytes) -> None:
        self._fields = list(_fields(data))
        self._graph = [field for one in self._fields if one.number == _MODEL_GRAPH for field in _fields(one.value)]
        self._made = [_node(field.value) if field.number == _GRAPH_NODE else None for field in self._graph]
        self.nodes = [node for node in self._made if node is not None]
        self.makers: Mapping[str, Node] = {name: node for node in self.nodes for name in node.outputs}
        self.outputs = [_first_text(field.value, 1) for field in self._graph if field.number == _GRAPH_OUTPUT]

    def ending_at(self, outputs: Sequence[str]) -> bytes:
        """Return the file with ``outputs`` (float32, three dimensions each) as its outputs and only what they need."""
        needed = self._needed(outputs)
        graph = bytearray()
        for field, node in zip(self._graph, self._made, strict=True):
            kept = field.number != _GRAPH_OUTPUT if node is None else not needed.isdisjoint(node.outputs)
            if kept:
                graph += field.raw
        for name in outputs:
            value = _delimited(1, name.encode()) + _FLOAT_TENSOR
            graph += _delimited(_GRAPH_OUTPUT, value)
        parts = (_delimited(_MODEL_GRAPH, bytes(graph)) if f.number == _MODEL_GRAPH else f.raw for f in self._fields)
        return b"".join(parts)

    def _needed(self, outputs: Sequence[str]) -> set[str]:
        """Return the names of all values on the way to ``outputs``."""
        found: set[str] = set()
        waiting = list(outputs)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                if (node := self.makers.get(name)) is not None:
                    waiting.extend(node.inputs)
        return found


def _node(data: bytes) -> Node:
    texts: dict[int, list[str]] = {_NODE_INPUT: [], _NODE_OUTPUT: [], _NODE_OPERATOR: []}
    for field in _fields(data):
        if field.number in texts:
            texts[field.number].append(field.value.decode())
    return Node(
        operator="".join(texts[_NODE_OPERATOR]),
        inputs=tuple(texts[_NODE_INPUT]),
        outputs=tuple(texts[_NODE_OUTPUT]),
        raw=data,
    )


def _first_text(data: bytes, number: int) -> str:
    return next((field.value.decode() for field in _fields(data) if field.number == number), "")


def _fields(data: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        value = at
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            length, value = _varint(data, at)
            at = value + length
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"protobuf has no wire type {kind}")
        if at > len(data):
            raise ValueError("the message ends inside a field")
        yield _Field(number, data[start:at], data[value:at])


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that starts at ``at`` and where it ends."""
    if at < len(data) and data[at] < 0x80:
        return data[at], at + 1  # nearly all of them, and models have tens of thousands
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("the message ends inside a number")


def _delimited(number: int, value: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(value)) + value


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

"""Reading the graph of an ONNX file and cutting parts out of it, without the ``onnx`` package.

ONNX Runtime computes everything on the way to a model's outputs and has no option to stop earlier, so stopping earlier
means other outputs; and starting later means other inputs. Owns the few protobuf messages needed for that and keeps
all others byte for byte. Pure; runs once, in the thread that loads a model, on bytes whose sha256 has been checked.
Field numbers: https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx.proto
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_CONSTANT, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SHAPES = 1, 5, 11, 12, 13
_CONSTANT_NAME = 8
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOAT_ELEMENTS = b"\x08\x01"  # ``TypeProto.Tensor.elem_type``
_ANY_LENGTH = b"\x0a\x00"  # one of ``TensorShapeProto.dim``, with nothing said of it


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

    def part(self, outputs: Mapping[str, int], *, inputs: Mapping[str, int] | None = None) -> bytes:
        """Return a model with these outputs and only what they need, and with ``inputs`` for the file's own if given.

        Each is the name of a float32 value with its number of dimensions, which may have any length.
        """
        needed = self.needed_for(outputs, given=inputs or {})
        graph = bytearray()
        for field, node in zip(self._graph, self._made, strict=True):
            if self._is_kept(field, node, needed, inputs):
                graph += field.raw
        for number, values in ((_GRAPH_INPUT, inputs or {}), (_GRAPH_OUTPUT, outputs)):
            for name, dimensions in values.items():
                graph += _delimited(number, _value_info(name, dimensions))
        parts = (_delimited(_MODEL_GRAPH, bytes(graph)) if f.number == _MODEL_GRAPH else f.raw for f in self._fields)
        return b"".join(parts)

    def needed_for(self, outputs: Iterable[str], *, given: Container[str] = ()) -> set[str]:
        """Return the names of all values on the way to ``outputs``, back to those that are ``given``."""
        found: set[str] = set()
        waiting = list(outputs)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                node = self.makers.get(name)
                if node is not None and name not in given:
                    waiting.extend(node.inputs)
        return found

    @staticmethod
    def _is_kept(field: "_Field", node: Node | None, needed: set[str], inputs: Mapping[str, int] | None) -> bool:
        if node is not None:
            # What makes a given value is left out, though that value is needed.
            return any(name in needed and name not in (inputs or ()) for name in node.outputs)
        if field.number == _GRAPH_CONSTANT:
            return _first_text(field.value, _CONSTANT_NAME) in needed
        # Shapes noted by the exporter hold for the file's own inputs alone.
        gone = (_GRAPH_OUTPUT,) if inputs is None else (_GRAPH_OUTPUT, _GRAPH_INPUT, _GRAPH_SHAPES)
        return field.number not in gone


def _value_info(name: str, dimensions: int) -> bytes:
    """Return a ``ValueInfoProto``."""
    tensor = _FLOAT_ELEMENTS + _delimited(2, _ANY_LENGTH * dimensions)
    return _delimited(1, name.encode()) + _delimited(2, _delimited(1, tensor))


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

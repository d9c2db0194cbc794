"""Reading the graph of an ONNX file, cutting parts out of it and changing it, without the ``onnx`` package.

ONNX Runtime computes everything on the way to a model's outputs and has no option to stop earlier, so stopping earlier
means other outputs; and starting later means other inputs. Owns the few protobuf messages needed for that and keeps
all others byte for byte. Pure; runs once, in the thread that loads a model, on bytes whose sha256 has been checked.
Field numbers: https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx.proto
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.onnx_tensor import Constant, read_tensor, tensor
from detectors.protobuf_wire import NOTHING, Field, delimited, fields, first, first_text, message, varint

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_CONSTANT, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SHAPES = 1, 5, 11, 12, 13
_CONSTANT_NAME = 8
_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 3, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_NUMBER, _ATTRIBUTE_TEXT, _ATTRIBUTE_TENSOR, _ATTRIBUTE_NUMBERS = 1, 3, 4, 5, 8
_FLOAT_ELEMENTS = b"\x08\x01"  # ``TypeProto.Tensor.elem_type``
_ANY_LENGTH = b"\x0a\x00"  # one of ``TensorShapeProto.dim``, with nothing said of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation: what it is called, and the names of the values that it reads and makes."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    raw: bytes

    def number(self, attribute: str, default: int) -> int:
        """Return an attribute that is a whole number, from 0 on."""
        value = first(self._attribute(attribute), _ATTRIBUTE_NUMBER)
        return varint(value, 0)[0] if value else default

    def numbers(self, attribute: str) -> list[int]:
        """Return an attribute that is a list of whole numbers from 0 on, one field each; empty if it is not there."""
        listed = fields(self._attribute(attribute))
        return [varint(field.value, 0)[0] for field in listed if field.number == _ATTRIBUTE_NUMBERS]

    def text(self, attribute: str) -> str:
        """Return an attribute that is a text, empty if it is not there."""
        return first_text(self._attribute(attribute), _ATTRIBUTE_TEXT)

    def constant(self) -> Constant | None:
        """Return what a ``Constant`` holds."""
        return read_tensor(first(self._attribute("value"), _ATTRIBUTE_TENSOR))

    def moved(self, inputs: Iterable[str], output: str) -> bytes:
        """Return the same operation with the same attributes on other values."""
        kept = b"".join(f.raw for f in fields(self.raw) if f.number not in (_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME))
        return _on(inputs, output) + kept

    def _attribute(self, name: str) -> memoryview:
        listed = (field.value for field in fields(self.raw) if field.number == _NODE_ATTRIBUTE)
        return next((value for value in listed if first_text(value, _ATTRIBUTE_NAME) == name), NOTHING)


class OnnxFile:
    """A model file taken apart: the fields ``around`` its graph, and those of the graph, each with its operation."""

    def __init__(self, around: Sequence[Field], graph: Sequence[tuple[Field, Node | None]]) -> None:
        self._around, self._graph = around, graph
        self._constants = {
            first_text(field.value, _CONSTANT_NAME): field.value
            for field, _ in graph
            if field.number == _GRAPH_CONSTANT
        }
        self.nodes = [node for _, node in graph if node is not None]
        self.makers: Mapping[str, Node] = {name: node for node in self.nodes for name in node.outputs}
        self._users: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                self._users.setdefault(name, []).append(node)
        self.inputs, self.outputs = (
            [first_text(field.value, 1) for field, _ in graph if field.number == number]
            for number in (_GRAPH_INPUT, _GRAPH_OUTPUT)
        )

    @classmethod
    def read(cls, data: bytes) -> "OnnxFile":
        """Take a file apart. Raises ``ValueError`` for bytes that are no protobuf message."""
        around = list(fields(data))
        inside = (field for one in around if one.number == _MODEL_GRAPH for field in fields(one.value))
        return cls(around, [(field, _node(field.value) if field.number == _GRAPH_NODE else None) for field in inside])

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return self._with(field.raw for field, _ in self._graph)

    def maker(self, name: str, operator: str) -> Node | None:
        """Return what makes a value if it is of that kind."""
        node = self.makers.get(name)
        return node if node is not None and node.operator == operator else None

    def users(self, name: str) -> list[Node]:
        """Return the operations that read a value."""
        return self._users.get(name, [])

    def constant(self, name: str) -> Constant | None:
        """Return a value that is the same for all pictures; ``None`` if it is not, or can't be read."""
        if name in self._constants:
            return read_tensor(self._constants[name])
        node = self.maker(name, "Constant")
        return None if node is None else node.constant()

    def part(self, outputs: Mapping[str, int], *, inputs: Mapping[str, int] | None = None) -> bytes:
        """Return a model with these outputs and only what they need, and with ``inputs`` for the file's own if given.

        Each is the name of a float32 value with its number of dimensions, which may have any length.
        """
        needed = self.needed_for(outputs, given=inputs or {})
        # What makes a given value is left out, though that value is needed.
        needed -= (inputs or {}).keys()
        # Shapes noted by the exporter hold for the file's own inputs alone.
        gone = (_GRAPH_OUTPUT,) if inputs is None else (_GRAPH_OUTPUT, _GRAPH_INPUT, _GRAPH_SHAPES)
        kept = [f.raw for f, node in self._graph if f.number not in gone and _is_of_use(f, node, needed)]
        ends = ((_GRAPH_INPUT, inputs or {}), (_GRAPH_OUTPUT, outputs))
        new = [delimited(number, _value_info(*one)) for number, values in ends for one in values.items()]
        return self._with([*kept, *new])

    def changed(
        self, changes: Mapping[str, Sequence[bytes]], constants: Mapping[str, NDArray[np.float32]]
    ) -> "OnnxFile":
        """Return the model with other operations in the place of what makes each named value, and more constants.

        What is no longer needed then is left out.
        """
        graph: list[tuple[Field, Node | None]] = []
        for field, node in self._graph:
            instead = next((changes[name] for name in node.outputs if name in changes), None) if node else None
            if instead is None:
                graph.append((field, node))
            else:
                graph += [(message(_GRAPH_NODE, made), _node(made)) for made in instead]
        graph += [(message(_GRAPH_CONSTANT, tensor(name, numbers)), None) for name, numbers in constants.items()]
        whole = OnnxFile(self._around, graph)
        needed = whole.needed_for(whole.outputs)
        return OnnxFile(self._around, [(field, node) for field, node in graph if _is_of_use(field, node, needed)])

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

    def _with(self, graph: Iterable[bytes | memoryview]) -> bytes:
        whole = delimited(_MODEL_GRAPH, b"".join(graph))
        return b"".join(whole if field.number == _MODEL_GRAPH else field.raw for field in self._around)


def _is_of_use(field: Field, node: Node | None, needed: set[str]) -> bool:
    if node is not None:
        return not needed.isdisjoint(node.outputs)
    return field.number != _GRAPH_CONSTANT or first_text(field.value, _CONSTANT_NAME) in needed


def operation(operator: str, inputs: Iterable[str], output: str) -> bytes:
    """Return an operation without attributes."""
    return _on(inputs, output) + delimited(_NODE_OPERATOR, operator.encode())


def _on(inputs: Iterable[str], output: str) -> bytes:
    read = b"".join(delimited(_NODE_INPUT, name.encode()) for name in inputs)
    return read + delimited(_NODE_OUTPUT, output.encode())


def _value_info(name: str, dimensions: int) -> bytes:
    """Return a ``ValueInfoProto``."""
    shape = _FLOAT_ELEMENTS + delimited(2, _ANY_LENGTH * dimensions)
    return delimited(1, name.encode()) + delimited(2, delimited(1, shape))


def _node(data: bytes | memoryview) -> Node:
    texts: dict[int, list[str]] = {_NODE_INPUT: [], _NODE_OUTPUT: [], _NODE_OPERATOR: []}
    for field in fields(data):
        if field.number in texts:
            texts[field.number].append(str(field.value, "utf-8"))
    return Node(
        operator="".join(texts[_NODE_OPERATOR]),
        inputs=tuple(texts[_NODE_INPUT]),
        outputs=tuple(texts[_NODE_OUTPUT]),
        raw=bytes(data),
    )

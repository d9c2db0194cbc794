"""Write a small TensorFlow Lite file for tests: one subgraph, float tensors, the operators that are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FLOAT32, FLOAT16, INT32 = 0, 1, 2
_CODES = {"float32": FLOAT32, "float16": FLOAT16, "int32": INT32}

Field = tuple[int, object]  # (number in the schema, int | bytes | str | list | Table)


@dataclass(frozen=True)
class Table:
    """A FlatBuffers table to be: its fields by number. ``int`` fields are int32, ``Byte`` fields one byte."""

    fields: dict[int, object]


@dataclass(frozen=True)
class Byte:
    """A scalar of one byte."""

    value: int


def flatbuffer(root: Table, identifier: bytes) -> bytes:
    """Return a FlatBuffers file: every table directory and payload laid out one behind the other."""
    out = bytearray(8)
    out[4:8] = identifier
    place = _table(out, root)
    out[0:4] = place.to_bytes(4, "little")
    return bytes(out)


def _align(out: bytearray) -> None:
    out.extend(bytes(-len(out) % 4))


def _table(out: bytearray, table: object) -> int:
    """Append a table and what it points to; return its place."""
    assert isinstance(table, Table)
    _align(out)
    highest = max(table.fields, default=-1)
    directory = len(out)
    size = 4 + 4 * (highest + 1)  # each field gets a slot of four bytes
    out += (4 + 2 * (highest + 1)).to_bytes(2, "little") + size.to_bytes(2, "little")
    for number in range(highest + 1):
        out += (4 + 4 * number if number in table.fields else 0).to_bytes(2, "little")
    _align(out)
    place = len(out)
    out += (place - directory).to_bytes(4, "little", signed=True) + bytes(size - 4)
    for number, value in table.fields.items():
        slot = place + 4 + 4 * number
        match value:
            case Byte(byte):
                out[slot] = byte
            case int():
                out[slot : slot + 4] = value.to_bytes(4, "little", signed=True)
            case _:
                target = _payload(out, value)
                out[slot : slot + 4] = (target - slot).to_bytes(4, "little")
    return place


def _payload(out: bytearray, value: object) -> int:
    match value:
        case Table():
            return _table(out, value)
        case str() | bytes():
            data = value.encode() if isinstance(value, str) else value
            return _vector(out, len(data), data)
        case [Table(), *_] as tables:
            place = _vector(out, len(tables), bytes(4 * len(tables)))
            for index, entry in enumerate(tables):
                slot = place + 4 + 4 * index
                out[slot : slot + 4] = (_table(out, entry) - slot).to_bytes(4, "little")
            return place
        case list():
            return _vector(out, len(value), np.array(value, "<i4").tobytes())
    raise TypeError(value)


def _vector(out: bytearray, count: int, data: bytes) -> int:
    _align(out)
    place = len(out)
    out += count.to_bytes(4, "little") + data
    return place


@dataclass
class TfliteFile:
    """A model under construction. Tensors are named by their index."""

    tensors: list[Table] = field(default_factory=list)
    buffers: list[Table] = field(default_factory=lambda: [Table({})])
    codes: list[int] = field(default_factory=list)
    operators: list[Table] = field(default_factory=list)

    def value(self, shape: Sequence[int], name: str) -> int:
        """Add a tensor that is computed or given."""
        self.tensors.append(Table({0: list(shape), 1: Byte(FLOAT32), 2: 0, 3: name}))
        return len(self.tensors) - 1

    def constant(self, values: NDArray[np.generic]) -> int:
        """Add a tensor that is stored."""
        self.buffers.append(Table({0: values.tobytes()}))
        code = _CODES[values.dtype.name]
        self.tensors.append(Table({0: list(values.shape), 1: Byte(code), 2: len(self.buffers) - 1, 3: "constant"}))
        return len(self.tensors) - 1

    def operator(self, code: int, inputs: Sequence[int], output: int, options: dict[int, object] | None = None) -> int:
        """Add an operator and return its output."""
        self.codes.append(code)
        fields: dict[int, object] = {0: len(self.codes) - 1, 1: list(inputs), 2: [output]}
        if options is not None:
            fields[4] = Table(options)
        self.operators.append(Table(fields))
        return output

    def save(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Return the file."""
        subgraph = Table({0: self.tensors, 1: list(inputs), 2: list(outputs), 3: self.operators})
        codes = [Table({0: Byte(min(code, 127)), 3: code}) for code in self.codes]
        return flatbuffer(Table({0: 3, 1: codes, 2: [subgraph], 4: self.buffers}), b"TFL3")

"""The constants in a model file: reading those of some types, writing those of float32 and int64. Pure.

Field numbers: ``TensorProto`` in https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx.proto
"""

from collections.abc import Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from detectors.protobuf_wire import Bytes, delimited, fields, numbered, varint

_DIMS, _TYPE, _FLOATS, _INTEGERS, _NAME, _RAW = 1, 2, 4, 5, 8, 9
_FLOAT, _INT8, _INT32, _INT64 = 1, 3, 6, 7
_DTYPES: dict[int, type[np.float32 | np.int8 | np.int32 | np.int64]] = {
    _FLOAT: np.float32,
    _INT8: np.int8,
    _INT32: np.int32,
    _INT64: np.int64,
}
Constant = NDArray[np.float32 | np.int8 | np.int32 | np.int64]


def read_tensor(data: Bytes) -> Constant | None:
    """Return what a ``TensorProto`` holds, or ``None`` if that is of another type or kept in another way.

    Exporters write larger constants as they lie in memory, and small ones number by number.
    """
    shape: list[int] = []
    kind = 0
    parts: dict[int, list[Bytes]] = {_FLOATS: [], _INTEGERS: [], _RAW: []}
    for field in fields(data):
        if field.number == _DIMS:
            shape += _numbers(field.value)
        elif field.number == _TYPE:
            kind, _ = varint(field.value, 0)
        elif field.number in parts:
            parts[field.number].append(field.value)
    dtype = _DTYPES.get(kind)
    if dtype is None:
        return None
    if parts[_INTEGERS]:
        listed = np.fromiter(_numbers(b"".join(parts[_INTEGERS])), np.uint64)
        numbers: Constant = listed.astype(np.int64).astype(
            dtype
        )  # a negative one is written as an int64's two's complement
    else:
        raw = b"".join(parts[_RAW] or (parts[_FLOATS] if kind == _FLOAT else []))
        if len(raw) != prod(shape) * np.dtype(dtype).itemsize:
            return None
        numbers = np.frombuffer(raw, dtype)
    return numbers.reshape(shape) if numbers.size == prod(shape) else None


def tensor(name: str, numbers: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    """Return a ``TensorProto``."""
    shape = b"".join(numbered(_DIMS, length) for length in numbers.shape)
    kind = numbered(_TYPE, _FLOAT if numbers.dtype == np.float32 else _INT64)
    raw = np.ascontiguousarray(numbers).astype(numbers.dtype.newbyteorder("<")).tobytes()
    return shape + kind + delimited(_NAME, name.encode()) + delimited(_RAW, raw)


def _numbers(packed: Bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = varint(packed, at)
        yield number

"""Read tables of a FlatBuffers file: just enough for TFLite, with nothing but the standard library and numpy.

Owns offsets and bounds; knows no schema. Used at set-up only. A file that points outside itself raises
``struct.error`` or ``ValueError``, never reads elsewhere. Format: https://flatbuffers.dev/internals/
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Table:
    """A table inside ``data`` at offset ``at``; its fields are asked for by their number in the schema."""

    data: bytes
    at: int

    @classmethod
    def root(cls, data: bytes, identifier: bytes) -> "Table":
        """Return the root table of a file whose identifier is ``identifier``; raises ``ValueError`` for another."""
        if data[4:8] != identifier:
            raise ValueError(f"file identifier is {data[4:8]!r}, not {identifier!r}")
        return cls(data, _uint(data, 0))

    def number(self, field: int, layout: str, default: int = 0) -> int:
        """Return a scalar field; ``layout`` is its ``struct`` letter."""
        place = self._field(field)
        return default if place is None else int(struct.unpack_from("<" + layout, self.data, place)[0])

    def table(self, field: int) -> "Table | None":
        """Return a field that is a table, or ``None`` where it is absent."""
        place = self._field(field)
        return None if place is None else Table(self.data, place + _uint(self.data, place))

    def tables(self, field: int) -> "list[Table]":
        """Return a field that is a vector of tables."""
        start, count = self._vector(field)
        places = range(start, start + 4 * count, 4)
        return [Table(self.data, place + _uint(self.data, place)) for place in places]

    def ints(self, field: int) -> list[int]:
        """Return a field that is a vector of int32."""
        start, count = self._vector(field)
        return list(struct.unpack_from(f"<{count}i", self.data, start))

    def octets(self, field: int) -> NDArray[np.uint8]:
        """Return a field that is a vector of bytes, as a view."""
        start, count = self._vector(field)
        return np.frombuffer(self.data, np.uint8, count=count, offset=start)

    def text(self, field: int) -> str:
        """Return a field that is a string, or ""."""
        return self.octets(field).tobytes().decode("utf-8")

    def _field(self, field: int) -> int | None:
        (distance,) = struct.unpack_from("<i", self.data, self.at)
        directory = self.at - distance
        (size,) = struct.unpack_from("<H", self.data, directory)
        entry = 4 + 2 * field
        if entry + 2 > size:
            return None
        (offset,) = struct.unpack_from("<H", self.data, directory + entry)
        return self.at + offset if offset else None

    def _vector(self, field: int) -> tuple[int, int]:
        place = self._field(field)
        if place is None:
            return 0, 0
        start = place + _uint(self.data, place)
        return start + 4, _uint(self.data, start)


def _uint(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])

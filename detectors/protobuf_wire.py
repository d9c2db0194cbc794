"""Protobuf's wire format, as far as model files use it. Pure; runs in the thread that loads or converts a model.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
NOTHING = memoryview(b"")
Bytes = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: its number, its bytes with the tag, and without tag and length; views, no copies."""

    number: int
    raw: memoryview
    value: memoryview


def first(data: Bytes, number: int) -> memoryview:
    """Return the value of the first field with that number, empty if there is none."""
    return next((field.value for field in fields(data) if field.number == number), NOTHING)


def first_text(data: Bytes, number: int) -> str:
    """Return the text of the first field with that number, empty if there is none."""
    return str(first(data, number), "utf-8")


def fields(data: Bytes) -> Iterator[Field]:
    """Yield the fields of a message. Raises ``ValueError`` for bytes that are none."""
    view = memoryview(data)
    at = 0
    while at < len(data):
        start = at
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        value = at
        if kind == VARINT:
            _, at = varint(data, at)
        elif kind == BYTES:
            length, value = varint(data, at)
            at = value + length
        elif kind in (FIXED32, FIXED64):
            at += 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"protobuf has no wire type {kind}")
        if at > len(data):
            raise ValueError("the message ends inside a field")
        yield Field(number, view[start:at], view[value:at])


def varint(data: Bytes, at: int) -> tuple[int, int]:
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


def delimited(number: int, value: bytes) -> bytes:
    """Return a field that holds bytes: a text, a message or packed numbers."""
    return encoded(number << 3 | BYTES) + encoded(len(value)) + value


def message(number: int, value: bytes) -> Field:
    """Return a field that holds bytes, as ``fields`` gives one."""
    raw = memoryview(delimited(number, value))
    return Field(number, raw, raw[len(raw) - len(value) :])


def numbered(number: int, value: int) -> bytes:
    """Return a field that holds a whole number."""
    return encoded(number << 3 | VARINT) + encoded(value)


def encoded(value: int) -> bytes:
    """Return a whole number as a varint, a negative one as the two's complement of an int64."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

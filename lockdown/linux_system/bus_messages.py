"""Messages of D-Bus as bytes: calls of methods that take texts, and what answers them. Pure, and no more than that.

Source: the D-Bus specification, "Message Format" and "Marshaling". Numbers stand in this machine's own byte order.
What can't be read is ``Unsupported``.
"""

import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.contract.errors import Unsupported
from lockdown.capabilities import unsupported

HEAD_SIZE = 16
MOST_BYTES = 65_536
_ORDER = b"l" if sys.byteorder == "little" else b"B"
_CALL, _ERROR = 1, 3
_START_NOTHING = 2
_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_TO, _DESTINATION, _SIGNATURE = 1, 2, 3, 4, 5, 6, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A name on the bus, one of its objects and an interface of that."""

    name: str
    path: str
    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What answers the call ``reply_to``: a body, or the name of an error. A signal answers none (-1)."""

    reply_to: int
    error: str
    body: bytes


def sizes(head: bytes) -> tuple[int, int]:
    """Return how many bytes of fields and of body follow the first ``HEAD_SIZE`` bytes of a message."""
    body, _, fields = struct.unpack("=III", head[4:])
    if head[:1] != _ORDER or body + fields > MOST_BYTES:
        raise _unreadable()
    return fields + -fields % 8, body


def answer(head: bytes, fields: bytes, body: bytes) -> Answer:
    """Return the message of these three parts."""
    (size,) = struct.unpack_from("=I", head, 12)
    said = dict(_fields(fields[:size]))
    error = str(said.get(_ERROR_NAME, "no reason")) if head[1] == _ERROR else ""
    reply_to = said.get(_REPLY_TO)
    return Answer(reply_to=reply_to if isinstance(reply_to, int) else -1, error=error, body=body)


def call(serial: int, service: Service, method: str, texts: Sequence[str]) -> bytes:
    """Return a call. Its fields begin at a multiple of 8, so they are padded as if they stood alone."""
    body = b""
    for text in texts:
        body = _padded(body, 4) + _marshalled(text)
    fields = b""
    for code, kind, value in (
        (_PATH, "o", service.path),
        (_INTERFACE, "s", service.interface),
        (_MEMBER, "s", method),
        (_DESTINATION, "s", service.name),
    ):
        fields = _padded(fields, 8) + struct.pack("BB2s", code, 1, kind.encode()) + _marshalled(value)
    if texts:
        signature = struct.pack("BB2sB", _SIGNATURE, 1, b"g", len(texts)) + b"s" * len(texts) + b"\0"
        fields = _padded(fields, 8) + signature
    head = struct.pack("=cBBBIII", _ORDER, _CALL, _START_NOTHING, 1, len(body), serial, len(fields))
    return _padded(head + fields, 8) + body


def _marshalled(text: str) -> bytes:
    data = text.encode()
    return struct.pack("=I", len(data)) + data + b"\0"


def _padded(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)


def _fields(data: bytes) -> Iterator[tuple[int, str | int]]:
    """Yield the fields of a message's header; each is of one of four types."""
    at = 0
    try:
        while at < len(data):
            code, kind = data[at], data[at + 2 : at + 3]
            at += 4
            if kind == b"u":
                yield code, int(struct.unpack_from("=I", data, at)[0])
                at += 4
            elif kind == b"g":
                at += data[at] + 2
            else:
                text = text_at(data, at)
                yield code, text
                at += 5 + len(text.encode())
            at += -at % 8
    except (IndexError, struct.error) as error:
        raise _unreadable() from error


def text_at(data: bytes, at: int) -> str:
    """Return the text that begins at ``at``."""
    try:
        (size,) = struct.unpack_from("=I", data, at)
        return data[at + 4 : at + 4 + size].decode()
    except (struct.error, UnicodeDecodeError) as error:
        raise _unreadable() from error


def _unreadable() -> Unsupported:
    return unsupported("The message bus says what can't be read.")

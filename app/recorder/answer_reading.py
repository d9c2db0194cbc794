"""Reads a server's answer within a time and a size, whoever gives it: no byte now and then keeps a thread waiting.

Used by the recorder's connections (``app.recorder.transport``) and its client, in whichever thread asks. Knows nothing
of what an answer means.
"""

import io
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, cast

import requests

TIMES = 2
"""A whole answer, its head included, may take so many times as long as the wait for its next byte."""
MOST = 1024 * 1024
"""Bytes of an answer. They are small JSON; the largest is a policy, of which a server takes half of that."""

_now_s: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered; ``headers`` are found whatever their case."""

    status: int
    headers: requests.structures.CaseInsensitiveDict[str]
    body: bytes


class TimelyResponse(HTTPResponse):
    """An answer on its way that is given up when all of it takes too long; raises ``TimeoutError`` then."""

    def __init__(self, sock: socket.socket, *more: Any, **named: Any) -> None:
        super().__init__(cast(Any, _Timely(sock)), *more, **named)


def read(response: requests.Response) -> Answer:
    """Read the body, at most ``MOST`` bytes; raises ``ValueError`` for more, and what the library raises."""
    raw = response.raw
    body: bytes = raw.read(MOST + 1, decode_content=True)
    if len(body) > MOST:
        raw.close()
        raise ValueError(f"an answer has more than {MOST} bytes")
    raw.release_conn()
    return Answer(status=response.status_code, headers=response.headers, body=body)


class _Timely:
    """A socket as an ``HTTPResponse`` uses it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._sock, cast(Any, self._sock).makefile(mode, buffering=0)))


class _Timed(io.RawIOBase):
    """Reads from a socket until its time is over."""

    def __init__(self, sock: socket.socket, file: Any) -> None:
        self._sock, self._file = sock, file
        self._wait_s = sock.gettimeout()
        self._until_s = None if self._wait_s is None else _now_s() + TIMES * self._wait_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._until_s is not None and self._wait_s is not None:
            left_s = self._until_s - _now_s()
            if left_s <= 0:
                raise TimeoutError("the answer takes too long")
            self._sock.settimeout(min(left_s, self._wait_s))
        got: int | None = self._file.readinto(buffer)
        return got

    def close(self) -> None:
        self._file.close()
        super().close()

"""Connections as this server has them: they can be broken off, lent, and none is waited for in vain. In the event loop.

A closed connection stays until its last byte was taken, and asyncio waits for that without end.
"""

import asyncio
import math
from collections.abc import Iterable, MutableMapping
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from server.borrowed import Borrowed

STALLED_S = 15.0
"""A connection that is closing, and of which not a byte was taken for so long, is broken off."""
ABORT = "fairlock.abort"
BORROW = "fairlock.borrow"


class Connection(HttpToolsProtocol):
    """Gives each of its requests the means to ``abort`` and to ``borrow``."""

    _come = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take up a connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, ABORT: transport.abort}

    def on_message_begin(self) -> None:
        """Take up a request."""
        self._come = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer it."""
        super().on_headers_complete()
        state: dict[str, Any] = self.scope["state"]
        state[BORROW] = partial(self._lend, self.cycle, dict(self.headers))

    def on_body(self, body: bytes) -> None:
        """Count what came of it."""
        self._come += len(body)
        super().on_body(body)

    def _lend(self, cycle: RequestResponseCycle, headers: dict[bytes, bytes]) -> Borrowed | None:
        size = headers.get(b"content-length", b"")
        plain = self.scheme == "http" and isinstance(self.loop, asyncio.SelectorEventLoop)
        waiting = cycle is self.cycle and cycle.more_body and not cycle.waiting_for_100_continue
        if not (plain and waiting and size.isdigit()) or cycle.disconnected or self.transport.is_closing():
            return None
        return Borrowed(self, cycle, come=self._come, size=int(size))


def borrow(scope: MutableMapping[str, Any]) -> Borrowed | None:
    """Take over the reading of a request's body, of which nothing was asked for yet; None where that can't be.

    It can't where somebody else than this server keeps the connection, where the body is there already, and where its
    bytes aren't those of the socket: in chunks, under TLS.
    """
    lend = scope.get("state", {}).get(BORROW)
    return None if lend is None else lend()


def abort(scope: MutableMapping[str, Any]) -> bool:
    """Break off the connection that a request came by, also with bytes that wait; return whether it can be.

    The server sees that at once as the other side's hanging up: what answers ends, as it does then.
    """
    break_off = scope.get("state", {}).get(ABORT)
    if break_off is None:
        return False
    break_off()
    return True


class Closing:
    """Watches the connections that are closing."""

    def __init__(self) -> None:
        self._seen: dict[Connection, tuple[int, float]] = {}

    def look(
        self, connections: Iterable[object], now_s: float, patience_s: float, *, until_s: float = math.inf
    ) -> None:
        """Break off those of which nothing was taken for ``patience_s``, and from ``until_s`` on all.

        By a clock that is told each time.
        """
        seen: dict[Connection, tuple[int, float]] = {}
        for connection in list(connections):
            if not isinstance(connection, Connection) or not connection.transport.is_closing():
                continue
            waiting = connection.transport.get_write_buffer_size()
            before = self._seen.get(connection)
            # Nothing is written to it any more: what waits only gets less.
            seen[connection] = before if before is not None and before[0] == waiting else (waiting, now_s)
            if now_s - seen[connection][1] >= patience_s or now_s >= until_s:
                connection.transport.abort()
        self._seen = seen

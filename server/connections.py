"""Connections to those who don't read: they can be broken off, and none is waited for in vain. Runs in the event loop.

A closed connection stays until its last byte was taken, and asyncio waits for that without end.
"""

import asyncio
from collections.abc import Iterable, MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STALLED_S = 15.0
"""A connection that is closing, and of which not a byte was taken for so long, is broken off."""
ABORT = "fairlock.abort"


class Connection(HttpToolsProtocol):
    """Gives each of its requests the means to ``abort``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take up a connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, ABORT: transport.abort}


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

    def look(self, connections: Iterable[object], now_s: float, patience_s: float) -> None:
        """Break off those of which nothing was taken for ``patience_s``, by a clock that is told each time."""
        seen: dict[Connection, tuple[int, float]] = {}
        for connection in list(connections):
            if not isinstance(connection, Connection) or not connection.transport.is_closing():
                continue
            waiting = connection.transport.get_write_buffer_size()
            before = self._seen.get(connection)
            # Nothing is written to it any more: what waits only gets less.
            seen[connection] = before if before is not None and before[0] == waiting else (waiting, now_s)
            if now_s - seen[connection][1] >= patience_s:
                connection.transport.abort()
        self._seen = seen

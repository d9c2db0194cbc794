"""The rest of a request's body, read straight from its socket into one block: nothing copies it on its way.

From piece to piece through the event loop, the parser and the framework a long body costs more than it takes to hash
and to write it. Never used by two threads at a time: ``take`` belongs into a worker thread, where it stays only for as
long as bytes come quickly, and all else into the event loop. Knows neither what the bytes are nor who sends them.
"""

import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from anyio import wait_readable
from httptools import HttpRequestParser
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

BLOCK = 512 * 1024
PATIENCE_S = 0.002
"""So long a thread waits for the next byte: waking another one up takes a tenth of that."""
QUICK_S = 0.02
"""So long it waits for a whole block. Who is slower is waited for in the event loop: there are few threads."""

Write = Callable[[memoryview], object]


class Borrowed:
    """What is left of a body of ``size`` bytes, of which ``connection`` has read ``come``. Must be given back."""

    def __init__(self, connection: "HttpToolsProtocol", cycle: "RequestResponseCycle", *, come: int, size: int) -> None:
        self.size = size
        self._connection, self._cycle = connection, cycle
        connection.flow.pause_reading()
        self._socket = connection.transport.get_extra_info("socket").dup()
        self._socket.settimeout(PATIENCE_S)
        self._begun, cycle.body = bytes(cycle.body), bytearray()
        self._block, self._filled = memoryview(bytearray(min(BLOCK, size))), 0
        self._left = size - come

    @property
    def is_over(self) -> bool:
        """Whether ``take`` handed everything over."""
        return not (self._left or self._filled or self._begun)

    def take(self, write: Write) -> None:
        """Hand over what is there and what comes quickly, in blocks that are good only until ``write`` returns.

        Raises ``ClientDisconnect``, and what ``write`` raises.
        """
        if self._begun:
            write(memoryview(self._begun))
            self._begun = b""
        self._hand_over(write)
        until = time.monotonic() + QUICK_S
        while self._left and time.monotonic() < until and self._receive():
            if self._hand_over(write):
                until = time.monotonic() + QUICK_S

    async def gather(self, came: Callable[[], object]) -> None:
        """Wait until there is a block to hand over; tell ``came`` of each piece. Raises ``ClientDisconnect``."""
        while not self._is_block:
            await wait_readable(self._socket)
            if self._receive():
                came()

    async def rest(self) -> AsyncIterator[bytes]:
        """Yield what was not received yet; raises ``ClientDisconnect``."""
        while self._left:
            self._filled = 0
            await wait_readable(self._socket)
            self._receive()
            yield bytes(self._block[: self._filled])

    def give_back(self) -> None:
        """Let the connection go on with its next request, or end with this one's answer if bytes of it are left."""
        self._socket.close()
        if self._left:
            self._cycle.keep_alive = False
        elif self._connection.parser is not None:  # else the connection is closed
            # The old one waits for the bytes that went past it.
            self._connection.parser = HttpRequestParser(self._connection)
            self._connection.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._cycle.more_body = False
        self._cycle.message_event.set()

    @property
    def _is_block(self) -> bool:
        return not self._left or self._filled == len(self._block)

    def _receive(self) -> bool:
        room = self._block[self._filled : self._filled + self._left]
        try:
            got = self._socket.recv_into(room)
        except TimeoutError:
            return False
        except OSError:
            got = 0
        if not got:
            raise ClientDisconnect
        self._filled += got
        self._left -= got
        return True

    def _hand_over(self, write: Write) -> bool:
        if not self._is_block or not self._filled:
            return False
        block, self._filled = self._block[: self._filled], 0
        write(block)
        return True

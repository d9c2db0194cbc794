"""Who watches and never reads: their connection really ends, nobody waits for it, and nothing is logged as an error."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from server import connections, serving
from server.live import answer as answers
from server.live import hub as hubs
from server.live.answer import LiveAnswer
from server.live.hub import Hub

SESSION = "session-1"
PIECE = 1_000_000
MORE_THAN_BUFFERS = 64 * PIECE
"""Bytes of an answer that no connection's own buffers take."""


@dataclass
class _Served:
    """A real server on a real socket with the one route, in this very loop."""

    hub: Hub
    clock: ManualClock
    server: serving.Server
    address: tuple[str, int]
    serving: "asyncio.Task[None]"
    refusals: set[str] = field(default_factory=set)
    pushed: int = 0

    async def ask(self, path: str) -> socket.socket:
        """Ask for ``path`` with as small a buffer as there is; what comes waits until it is read."""
        asking = socket.socket()
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asking.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(asking, self.address)
        await loop.sock_sendall(asking, f"GET {path} HTTP/1.1\r\nHost: live\r\n\r\n".encode())
        return asking

    async def watch(self) -> socket.socket:
        """Begin to watch, and read nothing."""
        before = self.hub.watching
        asking = await self.ask("/watch")
        await _until(lambda: self.hub.watching > before)
        return asking

    async def stuck(self) -> socket.socket:
        """Begin to watch, read nothing, and bring more than the connection takes, but less than may wait."""
        asking = await self.watch()
        self.push(7)
        await _until(lambda: any(one.transport.get_write_buffer_size() for one in _open(self)))
        return asking

    def push(self, number: int) -> None:
        """Bring so many segments of a megabyte."""
        for _ in range(number):
            self._push(PieceKind.OPENING, self.pushed, b"signed")
            self._push(PieceKind.FILE, self.pushed, bytes(PIECE))
            self.pushed += 1

    def _push(self, kind: PieceKind, sequence: int, data: bytes) -> None:
        self.hub.push(SESSION, [Piece(kind=kind, track=Track.SCREEN, epoch=0, sequence=sequence, offset=0, data=data)])


@asynccontextmanager
async def _serving() -> AsyncIterator[_Served]:
    clock = ManualClock()
    hub = Hub(lambda: clock.now().utc_ms)
    refused: set[str] = set()

    async def may_go_on() -> bool:
        return SESSION not in refused

    async def watch(_request: Request) -> Response:
        watcher = hub.watch(SESSION)
        leave = partial(hub.leave, SESSION, watcher)
        return LiveAnswer(watcher, now=lambda: clock.now().utc_ms, may_go_on=may_go_on, leave=leave)

    async def large(_request: Request) -> Response:
        return PlainTextResponse(bytes(MORE_THAN_BUFFERS), headers={"Connection": "close"})

    app = Starlette(routes=[Route("/watch", watch), Route("/large", large)])
    with serving.listen("127.0.0.1", 0) as listener:
        # Without a limit: a server that waited for somebody would never end.
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        server = serving.Server(config, ending=hub.close)
        listener.listen()
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await _until(lambda: server.started)
            yield _Served(hub, clock, server, listener.getsockname(), task, refused)
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, 60)


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110  (the server has nothing to wait for)
            await asyncio.sleep(0.01)


async def _drained(asking: socket.socket) -> int:
    """Read until the other side has closed, or broken off; return how many bytes were left."""
    loop, read = asyncio.get_running_loop(), 0
    async with asyncio.timeout(60):
        try:
            while data := await loop.sock_recv(asking, 1 << 20):
                read += len(data)
        except ConnectionResetError:
            pass
    return read


def _run(test: Callable[[_Served], Awaitable[None]]) -> None:
    async def run() -> None:
        async with _serving() as served:
            await test(served)

    asyncio.run(run())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "GRACE_S", 0.1)
    monkeypatch.setattr(answers, "SIGN_S", 0.05)


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_connection_of_who_was_cut_off_ends(errors: Callable[[], list[str]]) -> None:
    async def test(served: _Served) -> None:
        with await served.stuck() as asking:
            served.push(hubs.WATCHER_BYTES // PIECE + 1)
            await _until(lambda: not served.hub.watching)
            await _until(lambda: not served.server.server_state.connections)
            await _drained(asking)

    _run(test)
    assert errors() == []


def test_a_server_that_ends_does_not_wait_for_who_does_not_read(errors: Callable[[], list[str]]) -> None:
    async def test(served: _Served) -> None:
        with await served.stuck() as asking:
            served.server.should_exit = True
            await asyncio.wait_for(served.serving, 60)
            await _drained(asking)

    _run(test)
    assert errors() == []


def test_who_reads_is_told_the_end_as_http_says_it(errors: Callable[[], list[str]]) -> None:
    async def test(served: _Served) -> None:
        loop = asyncio.get_running_loop()
        with await served.watch() as asking:
            served.hub.close()
            said = b""
            async with asyncio.timeout(60):
                while not said.endswith(b"\r\n0\r\n\r\n"):
                    said += await loop.sock_recv(asking, 1 << 16)

    _run(test)
    assert errors() == []


def test_who_may_not_go_on_is_ended_though_they_do_not_read(errors: Callable[[], list[str]]) -> None:
    async def test(served: _Served) -> None:
        with await served.stuck() as asking:
            served.refusals.add(SESSION)
            served.clock.advance(answers.LOOK_MS / 1000 + 1)
            await _until(lambda: not served.hub.watching)
            await _drained(asking)

    _run(test)
    assert errors() == []


def test_a_closing_connection_that_takes_nothing_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_S", 0.3)

    async def test(served: _Served) -> None:
        with await served.ask("/large") as asking:
            await _until(lambda: any(one.transport.is_closing() for one in _open(served)))
            await _until(lambda: not served.server.server_state.connections)
            assert await _drained(asking) < MORE_THAN_BUFFERS

    _run(test)


def test_a_closing_connection_that_is_read_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_S", 5.0)

    async def test(served: _Served) -> None:
        with await served.ask("/large") as asking:
            assert await _drained(asking) > MORE_THAN_BUFFERS

    _run(test)


def test_the_server_ends_though_somebody_takes_the_end_of_an_answer_in_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "ENDING_S", 60.0)  # as if something had just been taken, again and again
    monkeypatch.setattr(serving, "TICKS", 600)
    monkeypatch.setattr(serving, "LAST_S", 0.2)

    async def test(served: _Served) -> None:
        with await served.ask("/large") as asking:
            await _until(lambda: any(one.transport.is_closing() for one in _open(served)))
            served.server.should_exit = True
            await _until(served.serving.done)
            assert await _drained(asking) < MORE_THAN_BUFFERS

    _run(test)


def _open(served: _Served) -> list[connections.Connection]:
    return [one for one in served.server.server_state.connections if isinstance(one, connections.Connection)]

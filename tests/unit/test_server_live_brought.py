"""A segment that came live in very many pieces: it costs the event loop no more turns than one in few."""

import asyncio
from collections.abc import AsyncIterator

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from server.exams.blocks import BLOCK, Blocks, gathered
from server.live import kept
from server.live.hub import Hub

SESSION = "session-1"


def _piece(kind: PieceKind, offset: int, data: bytes) -> Piece:
    return Piece(kind=kind, track=Track.CAMERA, epoch=0, sequence=0, offset=offset, data=data)


def test_tiny_pieces_are_handed_on_in_blocks() -> None:
    asked: list[int] = []

    async def brought() -> AsyncIterator[bytes]:
        for block in gathered([b"x"] * 41_000):
            asked.append(len(block))
            yield block

    async def read() -> bytes:
        blocks, data = Blocks(brought(), 41_000), b""
        while not blocks.are_over:
            data += await blocks.next()
        return data

    assert asyncio.run(read()) == b"x" * 41_000
    assert asked == [41_000]


def test_large_pieces_are_not_all_joined_at_once() -> None:
    parts = [bytes([number]) * (BLOCK // 2) for number in range(5)]
    blocks = list(gathered(parts))
    assert [len(block) for block in blocks] == [BLOCK, BLOCK, BLOCK // 2]
    assert b"".join(blocks) == b"".join(parts)
    assert list(gathered([])) == []


def test_a_segment_of_very_many_pieces_is_not_kept_and_who_watches_goes_on() -> None:
    clock = ManualClock()
    hub = Hub(lambda: clock.now().utc_ms)
    watcher = hub.watch(SESSION)
    hub.push(SESSION, [_piece(PieceKind.OPENING, 0, b"signed")])
    for number in range(kept.PIECES - 1):
        hub.push(SESSION, [_piece(PieceKind.FILE, number, b"x")])
    assert hub.file(SESSION, Track.CAMERA, (0, 0), kept.PIECES - 1) is not None
    hub.push(SESSION, [_piece(PieceKind.FILE, kept.PIECES - 1, b"x")])
    assert hub.kept == 0
    assert hub.file(SESSION, Track.CAMERA, (0, 0), kept.PIECES) is None
    assert not watcher.is_over

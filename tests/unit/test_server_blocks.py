"""What comes in slowly is handed over in time: the wait for a block is the sender's time and not a timer's."""

from collections.abc import AsyncIterator

import anyio
import pytest

from server.exams import blocks as module
from server.exams.blocks import BLOCK, Blocks


class Line:
    """A connection that brings a piece every ``every_s`` seconds, by a clock that nothing else moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, every_s: float) -> None:
        self._ahead_s, self._every_s = 0.0, every_s
        monkeypatch.setattr(module, "current_time", lambda: anyio.current_time() + self._ahead_s)

    async def pieces(self, count: int) -> AsyncIterator[bytes]:
        """Yield as many of one byte each."""
        for number in range(count):
            self._ahead_s += self._every_s
            yield bytes([number])


def test_a_block_is_what_came_within_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        blocks = Blocks(Line(monkeypatch, every_s=10).pieces(8), 8)
        assert await blocks.next(within_s=25) == bytes(range(3))
        assert not blocks.are_over
        assert await blocks.next() == bytes(range(3, 8))
        assert blocks.are_over

    anyio.run(run)


def test_a_body_that_is_there_in_time_is_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        blocks = Blocks(Line(monkeypatch, every_s=0).pieces(8), 8)
        assert await blocks.next(within_s=100) == bytes(range(8))
        assert blocks.are_over

    anyio.run(run)


def test_a_block_is_full_at_its_size() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(BLOCK)

    async def run() -> None:
        blocks = Blocks(pieces(), 3 * BLOCK)
        assert [len(await blocks.next(within_s=100)) for _ in range(3)] == [BLOCK] * 3
        assert not blocks.are_over
        assert await blocks.next() == b""
        assert blocks.are_over

    anyio.run(run)

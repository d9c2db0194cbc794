"""Gathers what comes in over a connection into blocks, for as long as it keeps coming. Runs in the event loop."""

import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

from anyio import current_time, fail_after

from server.refused import Refused

BLOCK = 1024 * 1024
GAP_S = 15.0
"""A sender that is silent for so long has lost its connection."""
LONGEST_S = 600.0
"""Seconds for a whole segment: who sends single bytes would hold a place for ever."""


def deadline() -> float:
    """Return when a segment that begins now must be there, by the event loop's clock."""
    return current_time() + LONGEST_S


@contextmanager
def in_time(until: float) -> Iterator[Callable[[], None]]:
    """Yield what to call with each piece that came; raises ``Refused`` 503 after a gap, and at ``until``."""
    now = current_time()
    try:
        # One alarm that is set anew with each piece; one for each piece costs as much as the piece.
        with fail_after(min(GAP_S, until - now)) as alarm:

            def came() -> None:
                alarm.deadline = min(current_time() + GAP_S, until)

            yield came
    except TimeoutError:
        raise Refused(503, "E-BUSY", "the segment came too slowly", retry_after_s=2) from None


class Blocks:
    """The bytes of a segment as they come in, at most ``size``, gathered into blocks."""

    def __init__(self, body: AsyncIterator[bytes], size: int) -> None:
        self._body, self._left = body, size
        self._until = deadline()
        self.are_over = False

    async def next(self, *, within_s: float = math.inf) -> bytes:
        """Return the next block, the last one when ``are_over`` says so then; a piece after ``within_s`` ends it, too.

        Raises ``Refused``: 503 when the bytes are too long in coming, 422 when there are too many.
        """
        block = bytearray()
        now = current_time()
        enough = now + within_s
        with in_time(self._until) as came:
            while len(block) < BLOCK and now < enough:
                piece = await anext(self._body, None)
                if piece is None:
                    self.are_over = True
                    break
                block += piece
                now = current_time()
                came()
        self._left -= len(block)
        if self._left < 0:
            raise Refused(422, "E-RECORD", "more bytes came than the record says")
        return bytes(block)


def gathered(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Yield what is there already in blocks of ``BLOCK`` or a part more: ``Blocks`` takes a turn for each."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)

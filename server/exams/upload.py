"""Brings a segment's bytes from the connection into the store, without ever holding up the event loop.

Runs in the event loop; the disk is touched in threads of their own number, so that heartbeats always find a thread.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter, current_time, fail_after, to_thread
from fastapi import Request

from app.contract.sealing.segment import MAX_SEGMENT
from app.contract.wire import LIVE_HEADER, SegmentAnswer
from server.context import Context
from server.exams import evidence
from server.exams.evidence import Announced
from server.refused import Refused
from server.storage.base import Place, Upload
from server.web.draining import drain

T = TypeVar("T")
DISK_THREADS = 8
BLOCK = 1024 * 1024
GAP_S = 15.0
"""A sender that is silent for so long has lost its connection."""
LONGEST_S = 600.0
"""Seconds for a whole segment: who sends single bytes would hold a place for ever."""


async def receive(
    context: Context, request: Request, place: Place, access: str, record: str
) -> tuple[SegmentAnswer, bool]:
    """Take one segment in; return the answer and whether it is new. Raises as ``evidence`` does, or 503.

    Only who may send this very segment is counted among the uploads: strangers can't keep the others out. With
    ``LIVE_HEADER`` the bytes that live view brought are taken instead of a body; 428 when they are not all there.
    """
    body = request.stream()
    try:
        announced = await _in_thread(request, evidence.announce, context, access, place, record)
        if announced.receipt is None:
            came_live = request.headers.get(LIVE_HEADER) == "1"
            stored = await _store(context, request, announced, _brought(context, announced) if came_live else body)
            _let_go(context, announced)
            return stored
    except Exception:
        await drain(body, MAX_SEGMENT)
        raise
    await drain(body, MAX_SEGMENT)
    return SegmentAnswer(receipt=announced.receipt, health=context.load.health), False


async def _store(
    context: Context, request: Request, announced: Announced, body: AsyncIterator[bytes]
) -> tuple[SegmentAnswer, bool]:
    session = announced.place.session
    if not context.load.enter(session):
        raise Refused(503, "E-BUSY", "too many uploads at a time", retry_after_s=2)
    try:
        incoming = _Incoming(context, announced)
        try:
            blocks = _Blocks(body, announced.record.size)
            while not blocks.are_over:
                block = await blocks.next()
                if not blocks.are_over:
                    await _in_thread(request, incoming.write, block)
            return await _in_thread(request, incoming.keep, block)
        finally:
            # Also when the sender hung up: what was sent must not stay in the store.
            if incoming.is_open:
                with CancelScope(shield=True):
                    await _in_thread(request, incoming.discard)
    finally:
        context.load.leave(session)


def _brought(context: Context, announced: Announced) -> AsyncIterator[bytes]:
    """Return the bytes that live view brought; raises ``Refused`` 428 when they are not all of the file."""
    record = announced.record
    parts = context.live.hub.file(record.session, record.track, (record.epoch, record.sequence), record.size)
    if parts is None:
        raise Refused(428, "E-LIVE", "not all of this segment came live; its file is needed")

    async def each() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return each()


def _let_go(context: Context, announced: Announced) -> None:
    record = announced.record
    context.live.hub.stored(record.session, record.track, (record.epoch, record.sequence))


class _Incoming:
    """A segment on its way into the store, used in threads, one call after the other.

    A turn in a thread costs more than the disk does. So it begins with its first block and ends with its last one: most
    segments take a single turn.
    """

    def __init__(self, context: Context, announced: Announced) -> None:
        self._context, self._announced = context, announced
        self._upload: Upload | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is something to discard."""
        return self._upload is not None

    def write(self, block: bytes) -> Upload:
        """Append a block; return where it went."""
        if self._upload is None:
            self._upload = self._context.store.begin(self._announced.place)
        self._upload.write(block)
        return self._upload

    def keep(self, block: bytes) -> tuple[SegmentAnswer, bool]:
        """Append the last block and store the segment, as ``evidence.keep``."""
        answer = evidence.keep(self._context, self._announced, self.write(block))
        self.discard()
        return answer

    def discard(self) -> None:
        """Leave nothing behind but what was stored."""
        if self._upload is not None:
            self._upload.discard()
        self._upload = None


class _Blocks:
    """The bytes of a segment as they come in, at most ``size``, gathered into blocks."""

    def __init__(self, body: AsyncIterator[bytes], size: int) -> None:
        self._body, self._left = body, size
        self._until = current_time() + LONGEST_S
        self.are_over = False

    async def next(self) -> bytes:
        """Return the next block, the last one when ``are_over`` says so then.

        Raises ``Refused``: 503 when the bytes are too long in coming, 422 when there are too many.
        """
        block = bytearray()
        try:
            # One alarm that is set anew with each piece; one for each piece costs as much as the piece.
            with fail_after(GAP_S) as alarm:
                while len(block) < BLOCK:
                    alarm.deadline = min(current_time() + GAP_S, self._until)
                    piece = await anext(self._body, None)
                    if piece is None:
                        self.are_over = True
                        break
                    block += piece
        except TimeoutError:
            raise Refused(503, "E-BUSY", "the segment came too slowly", retry_after_s=2) from None
        self._left -= len(block)
        if self._left < 0:
            raise Refused(422, "E-RECORD", "more bytes came than the record says")
        return bytes(block)


async def _in_thread(request: Request, function: Callable[..., T], *arguments: object) -> T:
    limiter: CapacityLimiter = request.app.state.disk_threads
    return await to_thread.run_sync(partial(function, *arguments), limiter=limiter)

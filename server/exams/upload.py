"""Brings a segment's bytes from the connection into the store, without ever holding up the event loop.

Runs in the event loop; the disk is touched in threads of their own number, so that heartbeats always find a thread.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread
from fastapi import Request

from app.contract.sealing.segment import MAX_SEGMENT
from app.contract.wire import LIVE_HEADER, SegmentAnswer
from server.context import Context
from server.exams import evidence
from server.exams.blocks import Blocks, gathered
from server.exams.evidence import Announced
from server.refused import Refused
from server.storage.base import Place, Upload
from server.web.draining import drain

T = TypeVar("T")
DISK_THREADS = 8
SMALL = 512 * 1024
"""Bytes of a body that may be read before its record is checked."""
WHOLE_S = 1.0
"""So long they may take. Over a thin line the record comes first: what is stored already need not come again."""


async def receive(
    context: Context, request: Request, place: Place, access: str, record: str
) -> tuple[SegmentAnswer, bool]:
    """Take one segment in; return the answer and whether it is new. Raises as ``evidence`` does, or 503.

    Only who may send this very segment is counted among the uploads: strangers can't keep the others out. With
    ``LIVE_HEADER`` the bytes that live view brought are taken instead of a body; 428 when they are not all there.
    """
    body: AsyncIterator[bytes] = request.stream()
    admissions = context.live.admissions
    announce = partial(evidence.announce, context, access, place, record)
    try:
        if _is_small(request) and admissions.knows(place.session, access):
            with _counted(context, place.session):
                blocks = Blocks(body, SMALL)
                begun = await blocks.next(within_s=WHOLE_S)
                if blocks.are_over:
                    return await _take(context, request, announce, begun)
            body = _resumed(begun, body)
        changes = admissions.changes
        announced = await _in_thread(request, announce)
        if announced.receipt is None:
            admissions.remember(place.session, access, changes=changes)
            came_live = request.headers.get(LIVE_HEADER) == "1"
            stored = await _store(context, request, announced, _brought(context, announced) if came_live else body)
            _let_go(context, announced)
            return stored
    except Exception:
        await drain(body, MAX_SEGMENT)
        raise
    await drain(body, MAX_SEGMENT)
    return _stored_already(context, announced.receipt), False


def _is_small(request: Request) -> bool:
    size = request.headers.get("Content-Length", "")
    return size.isdecimal() and len(size) < 10 and int(size) <= SMALL and LIVE_HEADER not in request.headers


def _stored_already(context: Context, receipt: str) -> SegmentAnswer:
    return SegmentAnswer(receipt=receipt, health=context.load.health)


async def _resumed(begun: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begun
    async for piece in rest:
        yield piece


async def _take(
    context: Context, request: Request, announce: Callable[[], Announced], block: bytes
) -> tuple[SegmentAnswer, bool]:
    """Take in a small segment of a session that sent something a moment ago, in one turn of a thread and not two.

    Nothing is believed because of that moment: only the order is another, and the bytes are there when all is checked.
    """
    announced, stored, new = await _in_thread(request, _take_whole, context, announce, block)
    if new:
        _let_go(context, announced)
    return stored, new


def _take_whole(
    context: Context, announce: Callable[[], Announced], block: bytes
) -> tuple[Announced, SegmentAnswer, bool]:
    announced = announce()
    if announced.receipt is not None:
        return announced, _stored_already(context, announced.receipt), False
    incoming = _Incoming(context, announced)
    try:
        return announced, *incoming.keep(block)
    finally:
        incoming.discard()


@contextmanager
def _counted(context: Context, session: str) -> Iterator[None]:
    """Count an upload while the block runs; raises ``Refused`` 503 when there are too many."""
    if not context.load.enter(session):
        raise Refused(503, "E-BUSY", "too many uploads at a time", retry_after_s=2)
    try:
        yield
    finally:
        context.load.leave(session)


async def _store(
    context: Context, request: Request, announced: Announced, body: AsyncIterator[bytes]
) -> tuple[SegmentAnswer, bool]:
    with _counted(context, announced.place.session):
        incoming = _Incoming(context, announced)
        try:
            blocks = Blocks(body, announced.record.size)
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


def _brought(context: Context, announced: Announced) -> AsyncIterator[bytes]:
    """Return the bytes that live view brought; raises ``Refused`` 428 when they are not all of the file."""
    record = announced.record
    parts = context.live.hub.file(record.session, record.track, (record.epoch, record.sequence), record.size)
    if parts is None:
        raise Refused(428, "E-LIVE", "not all of this segment came live; its file is needed")

    async def each() -> AsyncIterator[bytes]:
        for block in gathered(parts):
            yield block

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


async def _in_thread(request: Request, function: Callable[..., T], *arguments: object) -> T:
    limiter: CapacityLimiter = request.app.state.disk_threads
    return await to_thread.run_sync(partial(function, *arguments), limiter=limiter)

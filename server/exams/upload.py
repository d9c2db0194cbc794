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
from server import connections
from server.borrowed import Borrowed
from server.context import Context
from server.exams import evidence
from server.exams.blocks import Blocks, deadline, gathered, in_time
from server.exams.evidence import Announced
from server.exams.incoming import Incoming
from server.refused import Refused
from server.storage.base import Place
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
    begun: bytes | None = None
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
            if request.headers.get(LIVE_HEADER) == "1":
                stored = await _store(context, request, announced, _brought(context, announced))
            elif begun is None and (borrowed := connections.borrow(request.scope)) is not None:
                stored = await _store_borrowed(context, request, announced, borrowed)
            else:
                stored = await _store(context, request, announced, body)
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
    incoming = Incoming(context, announced)
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
        incoming = Incoming(context, announced)
        try:
            blocks = Blocks(body, announced.record.size)
            while not blocks.are_over:
                block = await blocks.next()
                if not blocks.are_over:
                    await _in_thread(request, incoming.write, block)
            return await _in_thread(request, incoming.keep, block)
        finally:
            await _discard(request, incoming)


async def _store_borrowed(
    context: Context, request: Request, announced: Announced, borrowed: Borrowed
) -> tuple[SegmentAnswer, bool]:
    """As ``_store``, with bytes that never pass through the event loop while they come quickly."""
    try:
        with _counted(context, announced.place.session):
            if borrowed.size > announced.record.size:
                raise Refused(422, "E-RECORD", "more bytes came than the record says")
            incoming, until = Incoming(context, announced), deadline()
            try:
                while (kept := await _in_thread(request, _turn, borrowed, incoming)) is None:
                    with in_time(until) as came:
                        await borrowed.gather(came)
                return kept
            finally:
                await _discard(request, incoming)
    except Exception:
        await drain(borrowed.rest(), MAX_SEGMENT)
        raise
    finally:
        borrowed.give_back()


def _turn(borrowed: Borrowed, incoming: Incoming) -> tuple[SegmentAnswer, bool] | None:
    borrowed.take(incoming.write)
    return incoming.keep() if borrowed.is_over else None


async def _discard(request: Request, incoming: Incoming) -> None:
    """Leave nothing in the store but what was stored, also when the sender hung up."""
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


async def _in_thread(request: Request, function: Callable[..., T], *arguments: object) -> T:
    limiter: CapacityLimiter = request.app.state.disk_threads
    return await to_thread.run_sync(partial(function, *arguments), limiter=limiter)

"""Brings a segment's bytes from the connection into the store, without ever holding up the event loop.

Runs in the event loop; the disk is touched in threads of their own number, so that heartbeats always find a thread.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from app.contract.sealing.segment import MAX_SEGMENT
from app.contract.wire import SegmentAnswer
from server.context import Context
from server.exams import evidence
from server.exams.evidence import Announced
from server.refused import Refused
from server.storage.base import Place, Upload

T = TypeVar("T")
DISK_THREADS = 8
BLOCK = 256 * 1024


async def receive(
    context: Context, request: Request, place: Place, access: str, record: str
) -> tuple[SegmentAnswer, bool]:
    """Take one segment in; return the answer and whether it is new. Raises as ``evidence`` does, or 503."""
    if not context.load.enter():
        raise Refused(503, "E-BUSY", "too many uploads at a time", retry_after_s=2)
    try:
        try:
            announced = await _in_thread(request, evidence.announce, context, access, place, record)
        except Exception:
            # Reading on lets the sender finish and see the answer, instead of a broken connection.
            await _drain(request)
            raise
        if announced.receipt is not None:
            await _drain(request)
            return SegmentAnswer(receipt=announced.receipt, health=context.load.health), False
        return await _store(context, request, announced)
    finally:
        context.load.leave()


async def _store(context: Context, request: Request, announced: Announced) -> tuple[SegmentAnswer, bool]:
    upload: Upload = await _in_thread(request, context.store.begin)
    try:
        async for block in _blocks(request, announced.record.size):
            await _in_thread(request, upload.write, block)
        return await _in_thread(request, evidence.keep, context, announced, upload)
    finally:
        upload.discard()


async def _blocks(request: Request, size: int) -> AsyncIterator[bytes]:
    block, total = bytearray(), 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > size:
            await _drain(request)
            raise Refused(422, "E-RECORD", "more bytes came than the record says")
        block += chunk
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


async def _drain(request: Request) -> None:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > MAX_SEGMENT:
            return


async def _in_thread(request: Request, function: Callable[..., T], *arguments: object) -> T:
    limiter: CapacityLimiter = request.app.state.disk_threads
    return await to_thread.run_sync(partial(function, *arguments), limiter=limiter)

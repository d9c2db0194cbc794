"""Lets whatever waits for the store of segments wait in threads of its own number, so that the gate always finds one.

Used in the event loop. Uploads have others (``upload.DISK_THREADS``): neither keeps the other waiting.
"""

from collections.abc import AsyncIterator, Callable, Generator
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request

T = TypeVar("T")
READERS = 16
"""Playback of some pages at a time; when a store hangs, all others wait behind these."""


async def waited(request: Request, function: Callable[..., T], *arguments: object) -> T:
    """Return what ``function`` returns, called in one of the threads."""
    limiter: CapacityLimiter = request.app.state.store_threads
    return await to_thread.run_sync(partial(function, *arguments), limiter=limiter)


async def streamed(request: Request, blocks: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    """Yield what ``blocks`` yields, each made in one of the threads; close it also when the reader hung up."""
    try:
        while (block := await waited(request, next, blocks, None)) is not None:
            yield block
    finally:
        blocks.close()

"""Reads the rest of a body that is refused. Runs in the event loop."""

from collections.abc import AsyncIterator

from anyio import move_on_after

DRAIN_S = 5.0


async def drain(body: AsyncIterator[bytes], most: int) -> None:
    """Read on for a while, so that the sender finishes and sees the answer instead of a broken connection."""
    total = 0
    with move_on_after(DRAIN_S):
        async for chunk in body:
            total += len(chunk)
            if total > most:
                return

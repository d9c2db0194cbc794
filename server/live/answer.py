"""The answer without end that a watcher reads. Runs in the event loop; holds no thread and no transaction."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from anyio import CancelScope, create_task_group, move_on_after, sleep
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.contract.live import SIGN_OF_LIFE
from server import connections
from server.clock import Now
from server.live.watcher import Watcher

SIGN_S = 2.0
"""Seconds without a piece after which a sign of life is sent."""
LOOK_MS = 60_000
"""So often it is asked whether who watches may go on."""
GRACE_S = 1.0
"""Who does not read can't be told that it is over: after so long their connection is broken off."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_log = logging.getLogger("fairlock.live")


class LiveAnswer(StreamingResponse):
    """Pieces as they come, signs of life between them; ends when ``may_go_on`` says no, or the watching is over.

    ``leave`` is called in any case, however the connection ends.
    """

    def __init__(
        self, watcher: Watcher, *, now: Now, may_go_on: Callable[[], Awaitable[bool]], leave: Callable[[], None]
    ) -> None:
        super().__init__(self._blocks(), headers=HEADERS, media_type="application/octet-stream")
        self._watcher, self._now, self._may_go_on, self._leave = watcher, now, may_go_on, leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until it is over."""
        try:
            async with create_task_group() as beside:
                beside.start_soon(self._look)
                beside.start_soon(self._see_out, scope, beside.cancel_scope)
                await super().__call__(scope, receive, send)
                beside.cancel_scope.cancel()
        finally:
            self._leave()

    async def _blocks(self) -> AsyncIterator[bytes]:
        while not self._watcher.is_over:
            with move_on_after(SIGN_S):
                await self._watcher.news()
            if not self._watcher.is_over:
                yield self._watcher.take() or SIGN_OF_LIFE

    async def _look(self) -> None:
        """Ask whether who watches may go on, also while they don't read."""
        looked_ms = self._now()
        while True:
            await sleep(SIGN_S)
            if abs(self._now() - looked_ms) < LOOK_MS:
                continue
            looked_ms = self._now()
            if not await self._may_go_on():
                self._watcher.end()

    async def _see_out(self, scope: Scope, sending: CancelScope) -> None:
        await self._watcher.over.wait()
        await sleep(GRACE_S)
        _log.info("the connection of somebody who watched is broken off: they took nothing")
        if not connections.abort(scope):
            sending.cancel()

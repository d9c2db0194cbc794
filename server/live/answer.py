"""The answer without end that a watcher reads. Runs in the event loop; holds no thread and no transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable

from anyio import CancelScope, current_time, move_on_after
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.contract.live import SIGN_OF_LIFE
from server.clock import Now
from server.live.watcher import Watcher

SIGN_S = 2.0
"""Seconds without a piece after which a sign of life is sent."""
LOOK_MS = 60_000
"""So often it is asked whether who watches may go on."""
GRACE_S = 5.0
"""Who does not read can't be told that it is over: after so long their connection is closed."""
BLOCK = 64 * 1024
"""Bytes that are handed to the connection at a time: more would wait there, where nobody counts them."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


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
        with CancelScope() as until_over:

            def over() -> None:
                until_over.deadline = current_time() + GRACE_S

            self._watcher.when_over = over
            try:
                await super().__call__(scope, receive, send)
            finally:
                self._leave()

    async def _blocks(self) -> AsyncIterator[bytes]:
        looked_ms = self._now()
        while not self._watcher.is_over:
            with move_on_after(SIGN_S):
                await self._watcher.news()
            if abs(self._now() - looked_ms) >= LOOK_MS:
                looked_ms = self._now()
                if not await self._may_go_on():
                    return
            data = self._watcher.take() or SIGN_OF_LIFE
            for at in range(0, len(data), BLOCK):
                yield data[at : at + BLOCK]

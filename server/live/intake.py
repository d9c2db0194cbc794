"""Reads what applications push, never holding more than so many bytes at a time. Used in the event loop only."""

from collections import Counter
from collections.abc import AsyncIterator

from anyio import fail_after

from app.contract.live import MAX_PUSH
from server.refused import Refused

HELD_BYTES = 64 * 1024 * 1024
"""Bytes of pushes that have not come whole yet, of all sessions."""
SESSION_PUSHES = 2
"""One more than an application sends at a time: the last one may hang on a connection that is gone."""
LONGEST_S = 15.0


class Intake:
    """Counts what is under way."""

    def __init__(self) -> None:
        self._held = 0
        self._pushes: Counter[str] = Counter()

    async def read(self, session: str, body: AsyncIterator[bytes]) -> bytes:
        """Return the whole body; raises ``Refused`` 413 when it is too large, 503 when too many come or it is slow."""
        if self._pushes[session] >= SESSION_PUSHES:
            raise _busy("too many pushes at a time")
        self._pushes[session] += 1
        data = bytearray()
        try:
            with fail_after(LONGEST_S):
                async for chunk in body:
                    self._admit(len(data), len(chunk))
                    self._held += len(chunk)
                    data += chunk
            return bytes(data)
        except TimeoutError:
            raise _busy("the push came too slowly") from None
        finally:
            self._held -= len(data)
            self._pushes[session] -= 1
            if not self._pushes[session]:
                del self._pushes[session]

    def _admit(self, here: int, more: int) -> None:
        if here + more > MAX_PUSH:
            raise Refused(413, "E-FORMAT", f"a push has at most {MAX_PUSH} bytes")
        if self._held + more > HELD_BYTES:
            raise _busy("too much is pushed at a time")


def _busy(why: str) -> Refused:
    return Refused(503, "E-BUSY", why, retry_after_s=2)

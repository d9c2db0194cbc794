"""Remembers for some seconds that an access token opened a session. Used in the event loop only.

A candidate pushes once a second; a transaction for each time would cost more than all the rest of it.
"""

import hmac
from dataclasses import dataclass

from server import tokens
from server.clock import Now

LASTS_MS = 10_000
MOST = 5_000


@dataclass(frozen=True, slots=True)
class _Admitted:
    token: bytes
    at_ms: int


class Admissions:
    """The last token that opened each session. What another server changes is seen when the time is over."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._known: dict[str, _Admitted] = {}
        self.changes = 0
        """Counts ``forget``: what was asked of the database before may be wrong after."""

    def knows(self, session: str, token: str) -> bool:
        """Whether ``token`` opened the session less than ``LASTS_MS`` ago."""
        known = self._known.get(session)
        lately = known is not None and 0 <= self._now() - known.at_ms < LASTS_MS
        return known is not None and lately and hmac.compare_digest(known.token, tokens.digest(token))

    def remember(self, session: str, token: str, *, changes: int) -> None:
        """Note that the database said so; unless something was forgotten since ``changes`` was read, before asking."""
        if changes != self.changes:
            return
        self._known.pop(session, None)
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[session] = _Admitted(tokens.digest(token), self._now())

    def forget(self, session: str) -> None:
        """Ask anew: another token counts now, or none."""
        self.changes += 1
        self._known.pop(session, None)

"""Stretches of a track that are not recorded, while they last: each becomes one ``Gap`` when it is over.

Each object belongs to one thread at a time. They only keep account; what a gap means is not theirs to say.
"""

from app.contract.incidents import Track
from app.contract.times import Instant
from capture.frames import Gap


class Hole:
    """A stretch of a track that is not recorded, from when it opens until it is closed."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self._since: Instant | None = None
        self._reason = ""

    def open(self, since: Instant, reason: str) -> None:
        """Begin; what has begun already goes on."""
        if self._since is None:
            self._since, self._reason = since, reason

    def close(self, until: Instant) -> Gap | None:
        """Return the stretch, if there was one."""
        since, self._since = self._since, None
        if since is None:
            return None
        return Gap(source=self._track, start=since, end=max(since, until), reason=self._reason)


class Drops:
    """Items that found no room, until one does."""

    def __init__(self) -> None:
        self.total = 0
        self._run = 0
        self._since: Instant | None = None

    def add(self, at: Instant) -> None:
        """Count one more."""
        self._since = self._since or at
        self._run += 1
        self.total += 1

    def end(self, track: Track, until: Instant) -> Gap | None:
        """Return the stretch of those counted since the last one, if there were any."""
        since, count = self._since, self._run
        self._since, self._run = None, 0
        if since is None:
            return None
        return Gap(source=track, start=since, end=until, reason=f"{count} dropped, the machine was too slow")

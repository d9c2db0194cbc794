"""What is kept of one session, and who watches it. Used in the event loop only."""

from collections.abc import Sequence

from app.contract import live
from app.contract.incidents import Track
from app.contract.live import Piece
from server.live.kept import Place, Tail
from server.live.watcher import Watcher

EMPTY_MS = 60_000
"""A session of which nothing came for so long, and that nobody watches, is forgotten."""


class Room:
    """One session. ``fed_ms`` is when pieces came last, none before the first; ``counted`` is the hub's own note."""

    def __init__(self) -> None:
        self._tails = {track: Tail() for track in live.MEDIA}
        self.watchers: list[Watcher] = []
        self.fed_ms: int | None = None
        self.counted = 0

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(tail.size for tail in self._tails.values())

    @property
    def begun(self) -> int:
        """Bytes of beginnings that still wait for who watches."""
        return sum(watcher.begun for watcher in self.watchers)

    def push(self, pieces: Sequence[Piece], now_ms: int, most: int) -> None:
        """Keep what goes on from what is there and hand it to who watches, each with at most ``most`` bytes waiting."""
        self.fed_ms = now_ms
        taken = [piece for piece in pieces if self._tails[piece.track].take(piece, now_ms)]
        self.expire(now_ms)
        if taken and self.watchers:
            framed = [(live.head(piece), piece) for piece in taken]
            for watcher in self.watchers:
                watcher.offer(framed, most)

    def enter(self, most: int) -> Watcher:
        """Let somebody watch, from the beginning of each segment that is being written as long as ``most`` bytes last.

        Of the others they see what follows.
        """
        watcher = Watcher()
        for tail in self._tails.values():
            newest = tail.newest
            if newest is not None and newest.is_whole and watcher.begun + newest.size <= most:
                watcher.begin(newest.pieces)
        self.watchers.append(watcher)
        return watcher

    def file(self, track: Track, place: Place, size: int) -> Sequence[bytes] | None:
        """Return the bytes of a segment's file when all of them are kept."""
        return self._tails[track].file(place, size) if track in self._tails else None

    def stored(self, track: Track, place: Place) -> None:
        """Let go of a segment that the store has."""
        if track in self._tails:
            self._tails[track].stored(place)

    def expire(self, now_ms: int) -> None:
        """Let go of finished segments that have waited for too long."""
        for tail in self._tails.values():
            tail.expire(now_ms)

    def is_empty(self, now_ms: int) -> bool:
        """Whether nobody would miss it."""
        return not self.watchers and (self.fed_ms is None or now_ms - self.fed_ms >= EMPTY_MS)

    def let_go_finished(self) -> None:
        """Keep only what is being written; what has no record yet is sent as a file."""
        for tail in self._tails.values():
            tail.let_go_finished()

    def let_go(self) -> None:
        """Keep nothing; who comes now waits for the next segment."""
        for tail in self._tails.values():
            tail.let_go()

    def end(self) -> None:
        """Tell all who watch that it is over."""
        for watcher in self.watchers:
            watcher.end()

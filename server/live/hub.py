"""All sessions that are sent live: where pieces come in, and whoever watches gets them. Used in the event loop only.

Bounded as a whole: a server that is short of memory ends, and with it everybody's gate.
"""

from collections.abc import Sequence

from app.contract.incidents import Track
from app.contract.live import Piece
from server.clock import Now
from server.live.kept import Place
from server.live.room import Room
from server.live.watcher import Watcher
from server.refused import Refused

KEPT_BYTES = 256 * 1024 * 1024
"""Pieces of all sessions. Beyond it finished segments go first, then all, each time of who was fed longest ago."""
ROOMS = 5_000
WATCHERS = 200
ROOM_WATCHERS = 8
WATCHER_BYTES = 8 * 1024 * 1024
"""What may wait for one who watches."""
WAITING_BYTES = 256 * 1024 * 1024
"""What may wait for all of them; each has an equal share."""
BEGINNING_BYTES = 256 * 1024 * 1024
"""What may wait, besides, of the segments that were being written when they came; who comes then begins with the next.

All of it is counted for each, though the bytes of a piece are there once for all who watch it.
"""
SWEEP_MS = 1_000


class Hub:
    """One ``Room`` for each session of which something came, or that somebody watches."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._rooms: dict[str, Room] = {}  # the one that was fed last stands last
        self._kept = self._watching = 0
        self._swept_ms = 0
        self._is_closed = False

    @property
    def kept(self) -> int:
        """Bytes that are kept of all sessions."""
        return self._kept

    @property
    def watching(self) -> int:
        """How many watch; also who was cut off, until they are gone."""
        return self._watching

    def push(self, session: str, pieces: Sequence[Piece]) -> None:
        """Take pieces in and hand them on; raises ``Refused`` 503."""
        self.sweep()
        room = self._room(session)
        room.push(pieces, self._now(), min(WATCHER_BYTES, WAITING_BYTES // max(1, self._watching)))
        self._rooms[session] = self._rooms.pop(session)
        self._count(room)
        self._shrink()

    def watch(self, session: str) -> Watcher:
        """Let somebody watch; they ``leave`` when they are gone, in any case. Raises ``Refused`` 503."""
        self.sweep()
        room = self._room(session)
        if self._watching >= WATCHERS or len(room.watchers) >= ROOM_WATCHERS:
            raise _busy("too many watch already")
        self._watching += 1
        return room.enter(BEGINNING_BYTES - sum(each.begun for each in self._rooms.values() if each.watchers))

    def leave(self, session: str, watcher: Watcher) -> None:
        """Forget who watched. Their place is taken until then, also when they were cut off."""
        self._watching -= 1
        room = self._rooms.get(session)
        if room is not None and watcher in room.watchers:
            room.watchers.remove(watcher)
            if room.is_empty(self._now()):
                self._forget(session)

    def file(self, session: str, track: Track, place: Place, size: int) -> Sequence[bytes] | None:
        """Return the bytes of a segment's file, none when fewer or more than ``size`` of them are kept."""
        room = self._rooms.get(session)
        return room.file(track, place, size) if room else None

    def stored(self, session: str, track: Track, place: Place) -> None:
        """Let go of a segment that the store has."""
        if (room := self._rooms.get(session)) is not None:
            room.stored(track, place)
            self._count(room)

    def end(self, session: str) -> None:
        """Forget a session that has ended; who watches it is told."""
        if session in self._rooms:
            self._forget(session)

    def close(self) -> None:
        """Tell everybody that it is over: the server ends, and would wait for them."""
        self._is_closed = True
        for session in list(self._rooms):
            self._forget(session)

    def sweep(self) -> None:
        """Forget what is over its time; at most once in ``SWEEP_MS``, however often it is called."""
        now = self._now()
        if 0 <= now - self._swept_ms < SWEEP_MS:  # a clock that was set back must not stop it
            return
        self._swept_ms = now
        for session, room in list(self._rooms.items()):
            room.expire(now)
            self._count(room)
            if room.is_empty(now):
                self._forget(session)

    def _room(self, session: str) -> Room:
        room = self._rooms.get(session)
        if room is None:
            if self._is_closed or len(self._rooms) >= ROOMS:
                raise _busy("no more sessions are taken live")
            room = self._rooms[session] = Room()
        return room

    def _forget(self, session: str) -> None:
        room = self._rooms.pop(session)
        self._kept -= room.counted
        room.end()

    def _count(self, room: Room) -> None:
        self._kept += room.size - room.counted
        room.counted = room.size

    def _shrink(self) -> None:
        if self._kept <= KEPT_BYTES:
            return
        for let_go in (Room.let_go_finished, Room.let_go):
            for room in self._rooms.values():
                # Some more than need be, so that not every push walks through all sessions.
                if self._kept <= KEPT_BYTES * 9 // 10:
                    return
                let_go(room)
                self._count(room)


def _busy(why: str) -> Refused:
    return Refused(503, "E-BUSY", why, retry_after_s=2)

"""What waits in memory to be watched live: pieces of segments' files, few, in order and never with a hole.

Shared by the sealing threads, which leave pieces here, and the thread ``live``, which sends them. Holds ciphertext
only, writes nothing to the disk, and lets nobody wait who seals: where too much comes, what waits is dropped, and each
track goes on with the beginning of its next segment.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from app.contract.live import MAX_DATA, MAX_PIECES, MAX_PUSH, Piece, PieceKind
from app.contract.times import Clock
from capture.chain import Place

MOST = 4 * 1024 * 1024
"""Bytes that may wait, those on their way to the server included."""
KEPT_S = 20.0
"""For so long it is known of a segment what the server has of it; the server forgets it, too."""
OPENING_ROOM = 2048
"""What a signed ``Opening`` and the heads of two pieces take at most."""


@dataclass(slots=True)
class _Sent:
    """How much of a segment's file was taken here, how much of that the server has, and since when (monotonic)."""

    taken: int
    has: int
    at_ns: int
    goes_on: bool = True


class LivePieces:
    """Takes pieces as files are written, and hands them out push by push. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[Piece] = []
        self._waiting_bytes = self._flying_bytes = 0
        self._segments: dict[Place, _Sent] = {}
        self._closed = False

    def take(self, place: Place, offset: int, data: bytes) -> None:
        """Let ``data`` wait, which stands in the file of ``place`` from ``offset`` on; never blocks."""
        with self._changed:
            if self._closed:
                return
            if offset == 0:
                self._begin(place)
            segment = self._segments.get(place)
            if segment is None or not segment.goes_on or segment.taken != offset:
                return
            if self._waiting_bytes + self._flying_bytes + len(data) > MOST:
                self._drop()
                return
            segment.taken += len(data)
            self._waiting_bytes += len(data)
            self._waiting += _cut(place, offset, data)

    def batch(self) -> Sequence[Piece]:
        """Take out what fits into the next push; say afterwards whether it ``arrived`` or ``failed``."""
        with self._changed:
            room, count = MAX_PUSH, 0
            for piece in self._waiting[: MAX_PIECES // 2]:  # with an opening before each they are as many
                room -= len(piece.data) + OPENING_ROOM
                if room < 0:
                    break
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
            self._flying_bytes = sum(len(piece.data) for piece in batch)
            self._waiting_bytes -= self._flying_bytes
            return batch

    def arrived(self, batch: Sequence[Piece]) -> None:
        """Note that the server has ``batch``."""
        with self._changed:
            self._flying_bytes = 0
            for piece in batch:
                segment = self._segments.get((piece.epoch, piece.track, piece.sequence))
                if segment is not None and segment.has == piece.offset:
                    segment.has += len(piece.data)
                    segment.at_ns = self._clock.now().mono_ns
            self._changed.notify_all()

    def drop(self) -> None:
        """Forget what waits and what was on its way: each track goes on with its next segment."""
        with self._changed:
            self._flying_bytes = 0
            self._drop()

    def close(self) -> None:
        """Take nothing more, and forget what waits; what arrived is still known."""
        with self._changed:
            self._closed = True
            self._drop()

    def delivered(self, place: Place, size: int, patience_s: float) -> bool:
        """Say whether the server got all ``size`` bytes of a closed segment's file within the last ``KEPT_S``.

        Waits for at most ``patience_s`` while the last of them wait or are on their way.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._comes(place, size), patience_s)
            segment = self._segments.get(place)
            return segment is not None and segment.has == size and not self._is_old(segment)

    def comes(self, place: Place, size: int) -> bool:
        """Say whether some of a closed segment's file still waits or is on its way."""
        with self._changed:
            return self._comes(place, size)

    def _begin(self, place: Place) -> None:
        old = [known for known, sent in self._segments.items() if sent.has == sent.taken and self._is_old(sent)]
        for known in old:
            del self._segments[known]
        self._segments[place] = _Sent(taken=0, has=0, at_ns=self._clock.now().mono_ns)

    def _drop(self) -> None:
        self._waiting, self._waiting_bytes = [], 0
        self._segments = {place: sent for place, sent in self._segments.items() if sent.has == sent.taken > 0}
        for segment in self._segments.values():  # a server that started anew knows nothing of how they began
            segment.goes_on = False
        self._changed.notify_all()

    def _comes(self, place: Place, size: int) -> bool:
        segment = self._segments.get(place)
        return segment is not None and segment.has < segment.taken == size

    def _is_old(self, segment: _Sent) -> bool:
        return self._clock.now().mono_ns - segment.at_ns > KEPT_S * 1e9


def _cut(place: Place, offset: int, data: bytes) -> list[Piece]:
    epoch, track, sequence = place
    return [
        Piece(
            kind=PieceKind.FILE,
            track=track,
            epoch=epoch,
            sequence=sequence,
            offset=offset + at,
            data=data[at : at + MAX_DATA],
        )
        for at in range(0, len(data), MAX_DATA)
    ]

"""One who watches: what waits for their connection, bounded by bytes. Used in the event loop only."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from app.contract import live
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from server.live.kept import PIECE_BYTES, Place

BLOCK = 64 * 1024
"""Bytes that are handed to the connection at a time: more would wait there, where nobody counts them."""
PART_BYTES = PIECE_BYTES // 2
"""What a piece takes beside its bytes is counted half with its head and half with its data."""


class Watcher:
    """Pieces on their way to one page. ``over`` is set when no more will come."""

    def __init__(self) -> None:
        self._parts: deque[bytes | memoryview] = deque()
        self._begun = self._waiting = 0
        self._follows: dict[Track, Place] = {}
        self._news = asyncio.Event()
        self.over = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether no more will come."""
        return self.over.is_set()

    @property
    def begun(self) -> int:
        """Bytes of the beginnings that still wait."""
        return self._begun

    @property
    def waiting(self) -> int:
        """Bytes of what came since that still wait."""
        return self._waiting

    def begin(self, pieces: Sequence[Piece]) -> None:
        """Hand over all that is there of one track's newest segment; it does not count for what ``offer`` allows."""
        self._follows[pieces[0].track] = pieces[0].place
        self._begun += sum(self._append(live.head(piece), piece) for piece in pieces)

    def offer(self, framed: Iterable[tuple[bytes, Piece]], most: int) -> None:
        """Hand over pieces as they came, each after its head; who has more than ``most`` bytes waiting is cut off.

        Of a segment whose beginning was missed nothing is handed over: nobody could open it.
        """
        for head, piece in framed:
            if self.is_over or not self._wants(piece):
                continue
            self._waiting += self._append(head, piece)
            if self._waiting > most:
                self.end()

    def take(self) -> bytes:
        """Return the next ``BLOCK`` bytes of what waits or fewer, empty when nothing does; a piece may be cut."""
        taken: list[bytes | memoryview] = []
        room, freed = BLOCK, 0
        while room and self._parts:
            part = self._parts.popleft()
            if len(part) > room:
                whole = memoryview(part)
                self._parts.appendleft(whole[room:])
                part = whole[:room]
            else:
                freed += PART_BYTES
            taken.append(part)
            room -= len(part)
        self._free(freed + BLOCK - room)
        if not self._parts and not self.is_over:
            self._news.clear()
        return b"".join(taken)

    def end(self) -> None:
        """Hand nothing over any more, also of what waits."""
        self.over.set()
        self._parts.clear()
        self._begun = self._waiting = 0
        self._news.set()

    async def news(self) -> None:
        """Return when something waits, or all is over."""
        await self._news.wait()

    def _wants(self, piece: Piece) -> bool:
        if piece.kind is PieceKind.OPENING:
            self._follows[piece.track] = piece.place
        return self._follows.get(piece.track) == piece.place

    def _append(self, head: bytes, piece: Piece) -> int:
        # The piece's own bytes, of which there is one copy for all who watch and for what is kept.
        self._parts += (head, piece.data)
        self._news.set()
        return len(head) + len(piece.data) + 2 * PART_BYTES

    def _free(self, size: int) -> None:
        of_beginnings = min(size, self._begun)  # they stand before all else
        self._begun -= of_beginnings
        self._waiting -= size - of_beginnings

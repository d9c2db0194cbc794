"""One who watches: what waits for their connection, bounded by bytes. Used in the event loop only."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from app.contract import live
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from server.live.kept import Place


class Watcher:
    """Pieces on their way to one page. ``when_over`` is called, once, when no more will come."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._waiting = 0
        self._follows: dict[Track, Place] = {}
        self._news = asyncio.Event()
        self.is_over = False
        self.when_over: Callable[[], None] = lambda: None

    def begin(self, pieces: Sequence[Piece]) -> None:
        """Hand over all that is there of one track's newest segment; it does not count as waiting."""
        self._follows[pieces[0].track] = pieces[0].place
        self._frames += map(live.encode, pieces)
        self._news.set()

    def offer(self, framed: Iterable[tuple[Piece, bytes]], most: int) -> None:
        """Hand over pieces as they came and as they travel; who has ``most`` bytes waiting is cut off.

        Of a segment whose beginning was missed nothing is handed over: nobody could open it.
        """
        for piece, frame in framed:
            if self.is_over or not self._wants(piece):
                continue
            self._waiting += len(frame)
            if self._waiting > most:
                self.end()
                return
            self._frames.append(frame)
            self._news.set()

    def take(self) -> bytes:
        """Return what waits, empty when nothing does."""
        taken = b"".join(self._frames)
        self._frames, self._waiting = [], 0
        if not self.is_over:
            self._news.clear()
        return taken

    def end(self) -> None:
        """Hand nothing over any more, also of what waits."""
        if self.is_over:
            return
        self.is_over = True
        self._frames, self._waiting = [], 0
        self._news.set()
        self.when_over()

    async def news(self) -> None:
        """Return when something waits, or all is over."""
        await self._news.wait()

    def _wants(self, piece: Piece) -> bool:
        if piece.kind is PieceKind.OPENING:
            self._follows[piece.track] = piece.place
        return self._follows.get(piece.track) == piece.place

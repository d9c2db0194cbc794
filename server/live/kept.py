"""What is kept of one track: the segment that is being written, and for a while those before it.

Pure, used in the event loop only. Never opens a piece: whether the bytes are what the session sealed is for the viewer
to check, and for the record once the segment is stored.
"""

from collections.abc import Sequence

from app.contract.live import Piece, PieceKind

LINGER_MS = 20_000
"""So long a finished segment waits for its record."""
BEFORE = 2
"""Finished segments that wait at a time."""
TRACK_BYTES = 8 * 1024 * 1024
"""Bytes of one track; a camera at 2 Mbit/s takes 1.3 MB for a segment of 5 s."""
PIECE_BYTES = 200
"""What a piece takes beside its data, so that many empty ones are counted, too."""
PIECES = 500
"""Pieces of one segment. An application sends one or two a second, and a segment lasts for seconds."""

Place = tuple[int, int]
"""Epoch and sequence, by which a track's segments are in order."""


class Segment:
    """One segment from its opening on, without a hole."""

    def __init__(self, opening: Piece) -> None:
        self.place: Place = opening.place
        self.pieces: list[Piece] = []
        self.size = self.end = 0
        self.is_whole = True
        self.is_stored = False
        self.over_ms: int | None = None
        self._keep(opening)

    def take(self, piece: Piece) -> bool:
        """Take the piece that follows; return whether it does. What came before, or leaves a hole, is not taken."""
        if piece.kind is not PieceKind.FILE or piece.offset != self.end or not piece.data:
            return False
        self.end += len(piece.data)
        if len(self.pieces) >= PIECES:
            self.let_go()
        if self.is_whole:
            self._keep(piece)
        return True

    def let_go(self) -> None:
        """Keep nothing of it any more. Pieces that follow still go out to those who have seen it from the beginning."""
        self.pieces, self.size, self.is_whole = [], 0, False

    def _keep(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.size += len(piece.data) + PIECE_BYTES


class Tail:
    """The newest segment of one track and at most ``BEFORE`` finished ones, oldest first."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(segment.size for segment in self._segments)

    @property
    def newest(self) -> Segment | None:
        """The segment that is being written."""
        return self._segments[-1] if self._segments else None

    def take(self, piece: Piece, now_ms: int) -> bool:
        """Take a piece if it begins a newer segment or goes on with the newest; return whether it did."""
        newest = self.newest
        if newest is None or piece.place > newest.place:
            if piece.kind is PieceKind.OPENING:
                self._begin(piece, now_ms)
            return piece.kind is PieceKind.OPENING
        if piece.place != newest.place or not newest.take(piece):
            return False
        while self.size > TRACK_BYTES:
            self._shrink()
        return True

    def file(self, place: Place, size: int) -> Sequence[bytes] | None:
        """Return the bytes of a segment's file when all ``size`` of them are kept."""
        for segment in self._segments:
            if segment.place == place and segment.is_whole and segment.end == size:
                return [piece.data for piece in segment.pieces if piece.kind is PieceKind.FILE]
        return None

    def stored(self, place: Place) -> None:
        """Let go of a segment that the store has; the newest stays until the next begins, for who comes to watch."""
        for segment in self._segments:
            segment.is_stored = segment.is_stored or segment.place == place
        self._segments = [one for one in self._segments if one is self.newest or not one.is_stored]

    def expire(self, now_ms: int) -> None:
        """Let go of what has waited for its record for too long."""
        self._segments = [one for one in self._segments if one.over_ms is None or now_ms - one.over_ms < LINGER_MS]

    def let_go_finished(self) -> None:
        """Keep only the segment that is being written."""
        del self._segments[:-1]

    def let_go(self) -> None:
        """Keep no bytes of what is here."""
        self.let_go_finished()
        for segment in self._segments:
            segment.let_go()

    def _begin(self, opening: Piece, now_ms: int) -> None:
        if (finished := self.newest) is not None:
            finished.over_ms = now_ms
            if finished.is_stored or not finished.is_whole:
                self._segments.pop()
        del self._segments[:-BEFORE]
        self._segments.append(Segment(opening))

    def _shrink(self) -> None:
        if len(self._segments) > 1:
            del self._segments[0]
        else:
            self._segments[0].let_go()

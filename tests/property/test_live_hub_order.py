"""Whatever comes in whatever order, who watches sees no hole, and what is stored from it is what came."""

from hypothesis import given
from hypothesis import strategies as st

from app.clock import ManualClock
from app.contract import live
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from server.live.hub import Hub
from server.live.watcher import Watcher

FILE = bytes(range(12))
PLACES = [(epoch, sequence) for epoch in range(2) for sequence in range(3)]


def _piece(kind: PieceKind, track: Track, place: tuple[int, int], offset: int, size: int) -> Piece:
    data = FILE[offset : offset + size] if kind is PieceKind.FILE else b"signed"
    return Piece(kind=kind, track=track, epoch=place[0], sequence=place[1], offset=offset, data=data)


PIECES = st.builds(
    _piece,
    st.sampled_from(PieceKind),
    st.sampled_from([Track.CAMERA, Track.SCREEN]),
    st.sampled_from(PLACES),
    st.sampled_from([0, 4, 8]),
    st.sampled_from([0, 4, 4, 8]),
)
STEPS = st.lists(st.one_of(PIECES, PIECES, PIECES, st.sampled_from(["watch", "store", "wait"])), max_size=60)


@given(STEPS)
def test_who_watches_sees_no_hole(steps: list[Piece | str]) -> None:
    clock = ManualClock()
    hub = Hub(lambda: clock.now().utc_ms)
    watchers: list[Watcher] = []
    for step in steps:
        if isinstance(step, Piece):
            hub.push("session", [step])
        elif step == "watch" and len(watchers) < 8:
            watchers.append(hub.watch("session"))
        elif step == "store":
            hub.stored("session", Track.CAMERA, PLACES[1])
        else:
            clock.advance(7)
    for watcher in watchers:
        for track in (Track.CAMERA, Track.SCREEN):
            _check([piece for piece in live.decode(watcher.take()) if piece.track is track])
    for place in PLACES:
        for size in (4, 8, 12):
            kept = hub.file("session", Track.CAMERA, place, size)
            assert kept is None or b"".join(kept) == FILE[:size]
    clock.advance(120)
    for watcher in watchers:
        hub.leave("session", watcher)
    hub.sweep()
    assert hub.kept == 0


def _check(seen: list[Piece]) -> None:
    place, end = (-1, -1), 0
    for piece in seen:
        if piece.kind is PieceKind.OPENING:
            assert piece.place > place
            place, end = piece.place, 0
        else:
            assert (piece.place, piece.offset) == (place, end)
            end += len(piece.data)

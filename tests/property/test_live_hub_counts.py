"""Whatever comes in whatever order, what the hub of live view counts is what is there, and within its bounds."""

from dataclasses import dataclass, field
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import ManualClock
from app.contract import live
from app.contract.errors import FairlockError
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from server.live import hub as hubs
from server.live import kept
from server.live.hub import Hub
from server.live.watcher import Watcher

KEPT, TRACK, WATCHER, BEGINNING = 4_000, 2_500, 1_500, 3_000
SLACK = 1_000
"""Heads of pieces, which what is kept does not count."""
SESSIONS = st.sampled_from(["a", "b"])
TRACKS = st.sampled_from(live.MEDIA[:2])
SEQUENCES = st.integers(0, 4)


def _piece(kind: PieceKind, track: Track, sequence: int, offset: int, size: int) -> Piece:
    return Piece(kind=kind, track=track, epoch=0, sequence=sequence, offset=offset, data=bytes(size))


def _segment(track: Track, sequence: int, size: int) -> list[Piece]:
    return [_piece(PieceKind.OPENING, track, sequence, 0, 6), _piece(PieceKind.FILE, track, sequence, 0, size)]


_STRAY = st.builds(_piece, st.just(PieceKind.FILE), TRACKS, SEQUENCES, st.sampled_from([100, 300, 400]), st.just(100))
_PIECES = st.one_of(
    st.builds(_segment, TRACKS, SEQUENCES, st.sampled_from([100, 300, 900])), st.lists(_STRAY, max_size=3)
)
_STEPS = st.one_of(
    st.tuples(st.just("push"), SESSIONS, _PIECES),
    st.tuples(st.just("push"), SESSIONS, _PIECES),
    st.tuples(st.just("push"), SESSIONS, _PIECES),
    st.tuples(st.just("store"), SESSIONS, st.tuples(TRACKS, SEQUENCES)),
    st.tuples(st.sampled_from(["watch", "take", "leave", "end"]), SESSIONS, st.none()),
    st.tuples(st.just("wait"), SESSIONS, st.sampled_from([1, 3, 25, 70])),
)


@dataclass
class _Played:
    clock: ManualClock = field(default_factory=ManualClock)
    watchers: list[tuple[str, Watcher]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub = Hub(lambda: self.clock.now().utc_ms)

    def play(self, what: str, session: str, given: object) -> None:
        hub = self.hub
        match what, given:
            case "push", list(pieces):
                hub.push(session, pieces)
            case "watch", _:
                self.watchers.append((session, hub.watch(session)))
            case "take", _:
                for _session, watcher in self.watchers:
                    watcher.take()
            case "leave", _ if self.watchers:
                hub.leave(*self.watchers.pop(0))
            case "store", (Track() as track, int(sequence)):
                hub.stored(session, track, (0, sequence))
            case "end", _:
                hub.end(session)
            case "wait", int(seconds):
                self.clock.advance(seconds)
                hub.sweep()

    def check(self) -> None:
        assert self.hub.kept == sum(_kept(self.hub)) <= KEPT
        assert self.hub.watching == len(self.watchers)
        assert sum(watcher.begun for _session, watcher in self.watchers) <= BEGINNING + SLACK
        assert all(0 <= watcher.waiting <= WATCHER and watcher.begun >= 0 for _session, watcher in self.watchers)


def _kept(hub: Hub) -> list[int]:
    rooms = hub._rooms.values()
    tails = [tail for room in rooms for tail in room._tails.values()]
    return [
        len(piece.data) + kept.PIECE_BYTES for tail in tails for segment in tail._segments for piece in segment.pieces
    ]


@settings(max_examples=60)
@given(st.lists(_STEPS, min_size=40, max_size=60))
def test_the_bytes_that_are_counted_are_the_bytes_that_are_there(steps: list[tuple[str, str, object]]) -> None:
    played = _Played()
    with (
        patch.object(hubs, "KEPT_BYTES", KEPT),
        patch.object(kept, "TRACK_BYTES", TRACK),
        patch.object(hubs, "WATCHER_BYTES", WATCHER),
        patch.object(hubs, "BEGINNING_BYTES", BEGINNING),
        patch.object(hubs, "WATCHERS", 5),
    ):
        for step in steps:
            try:
                played.play(*step)
            except FairlockError:
                assert played.hub.watching == hubs.WATCHERS
            played.check()
        played.play("wait", "a", 70)
        for session, watcher in played.watchers:
            played.hub.leave(session, watcher)
        assert played.hub.kept == 0

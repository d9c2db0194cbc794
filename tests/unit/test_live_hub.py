"""The server's hub of live view: what is kept, in which order, how much of it, and who gets it."""

import asyncio
from collections.abc import Sequence

import pytest

from app.clock import ManualClock
from app.contract import live
from app.contract.errors import FairlockError
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from server.live import hub as hubs
from server.live import kept
from server.live.hub import Hub
from server.live.watcher import Watcher

SESSION = "session-1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def hub(clock: ManualClock) -> Hub:
    return Hub(lambda: clock.now().utc_ms)


def _piece(sequence: int, offset: int, data: bytes, *, epoch: int = 0, track: Track = Track.CAMERA) -> Piece:
    kind = PieceKind.FILE
    return Piece(kind=kind, track=track, epoch=epoch, sequence=sequence, offset=offset, data=data)


def _opening(sequence: int, *, epoch: int = 0, track: Track = Track.CAMERA) -> Piece:
    kind = PieceKind.OPENING
    return Piece(kind=kind, track=track, epoch=epoch, sequence=sequence, offset=0, data=b"signed")


def _segment(sequence: int, *parts: bytes, epoch: int = 0, track: Track = Track.CAMERA) -> list[Piece]:
    pieces, offset = [_opening(sequence, epoch=epoch, track=track)], 0
    for part in parts:
        pieces.append(_piece(sequence, offset, part, epoch=epoch, track=track))
        offset += len(part)
    return pieces


def _seen(watcher: Watcher) -> Sequence[Piece]:
    return live.decode(watcher.take())


def _file(hub: Hub, sequence: int, size: int, *, session: str = SESSION) -> bytes | None:
    parts = hub.file(session, Track.CAMERA, (0, sequence), size)
    return None if parts is None else b"".join(parts)


def test_who_watches_gets_pieces_as_they_come(hub: Hub) -> None:
    watcher = hub.watch(SESSION)
    assert watcher.take() == b""
    first, second, third = _segment(0, b"one", b"two")
    hub.push(SESSION, [first, second])
    assert _seen(watcher) == [first, second]
    hub.push(SESSION, [third])
    hub.push("session-2", _segment(0, b"not theirs"))
    assert _seen(watcher) == [third]


def test_who_comes_late_begins_at_each_segments_beginning(hub: Hub) -> None:
    sound = _segment(7, b"sound", track=Track.MICROPHONE)
    hub.push(SESSION, [*_segment(0, b"long ago"), *sound])
    newest = _segment(1, b"one", b"two")
    hub.push(SESSION, newest)
    watcher = hub.watch(SESSION)
    assert _seen(watcher) == [*newest, *sound]
    following = _piece(1, 6, b"three")
    hub.push(SESSION, [following])
    assert _seen(watcher) == [following]


def test_after_a_hole_nothing_goes_on_before_the_next_segment(hub: Hub) -> None:
    watcher = hub.watch(SESSION)
    begun = _segment(0, b"one")
    hub.push(SESSION, begun)
    hub.push(SESSION, [_piece(0, 4, b"after the hole"), _piece(0, 18, b"and on")])
    assert _seen(watcher) == begun
    hub.push(SESSION, [_piece(1, 0, b"without its opening"), _piece(2, 10, b"from the middle")])
    assert _seen(watcher) == []
    whole = _segment(2, b"anew")
    hub.push(SESSION, whole)
    assert _seen(watcher) == whole


def test_a_hole_that_is_filled_is_none(hub: Hub) -> None:
    watcher = hub.watch(SESSION)
    opening, first, second = _segment(0, b"one", b"two")
    hub.push(SESSION, [opening, second])
    hub.push(SESSION, [first, second])
    assert _seen(watcher) == [opening, first, second]


def test_what_came_before_is_not_handed_on_again(hub: Hub) -> None:
    watcher = hub.watch(SESSION)
    pieces = _segment(3, b"one", b"two")
    hub.push(SESSION, pieces)
    hub.push(SESSION, pieces)
    hub.push(SESSION, [_piece(3, 1, b"overlaps"), _piece(3, 6, b""), *_segment(2, b"older")])
    assert _seen(watcher) == pieces
    assert _seen(hub.watch(SESSION)) == pieces


def test_a_later_epoch_comes_after_any_sequence(hub: Hub) -> None:
    watcher = hub.watch(SESSION)
    old, new = _segment(9, b"before"), _segment(0, b"after", epoch=1)
    hub.push(SESSION, [*old, *new, *_segment(10, b"of the program before", epoch=0)])
    assert _seen(watcher) == [*old, *new]


def test_who_does_not_read_is_cut_off_and_the_others_go_on(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "WATCHER_BYTES", 1_000)
    slow, quick = hub.watch(SESSION), hub.watch(SESSION)
    sent = _segment(0, *(b"x" * 100 for _ in range(20)))
    seen: list[Piece] = []
    for piece in sent:
        hub.push(SESSION, [piece])
        seen += _seen(quick)
    assert seen == sent
    assert (slow.is_over, slow.over.is_set(), slow.take()) == (True, True, b"")
    assert not quick.is_over


def test_what_was_there_before_does_not_count_as_too_slow(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "WATCHER_BYTES", 1_000)
    long = _segment(0, bytes(3_000))
    hub.push(SESSION, long)
    watcher = hub.watch(SESSION)
    following = _piece(0, 3_000, bytes(700))
    hub.push(SESSION, [following])
    assert _seen(watcher) == [*long, following]


def test_all_who_watch_share_what_may_wait(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "WAITING_BYTES", 3_000)
    watchers = [hub.watch(SESSION) for _ in range(3)]
    hub.push(SESSION, _segment(0, bytes(500)))
    assert [watcher.is_over for watcher in watchers] == [False] * 3
    hub.push(SESSION, [_piece(0, 500, bytes(100))])
    assert [watcher.is_over for watcher in watchers] == [True] * 3


def test_only_so_many_watch(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "WATCHERS", 10)
    watchers = [hub.watch(SESSION) for _ in range(hubs.ROOM_WATCHERS)]
    with pytest.raises(FairlockError, match="too many watch"):
        hub.watch(SESSION)
    others = [hub.watch("session-2") for _ in range(2)]
    with pytest.raises(FairlockError, match="too many watch"):
        hub.watch("session-3")
    hub.leave("session-2", others[0])
    hub.leave(SESSION, watchers[0])
    hub.watch(SESSION)
    hub.watch("session-3")


def test_a_track_keeps_only_so_much(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "TRACK_BYTES", 3_000)
    hub.push(SESSION, [*_segment(0, bytes(800)), *_segment(1, bytes(800)), *_segment(2, bytes(100))])
    assert _file(hub, 0, 800) == bytes(800)
    early = hub.watch(SESSION)
    early.take()
    hub.push(SESSION, [_piece(2, 100, bytes(1_200))])
    assert (_file(hub, 0, 800), _file(hub, 1, 800)) == (None, None)
    assert _file(hub, 2, 1_300) == bytes(1_300)
    rest = [_piece(2, 1_300, bytes(1_400)), _piece(2, 2_700, b"on and on")]
    hub.push(SESSION, rest)
    assert hub.kept == 0
    assert _seen(early) == [_piece(2, 100, bytes(1_200)), *rest]
    late = hub.watch(SESSION)
    hub.push(SESSION, [_piece(2, 2_709, b"of no use to who missed the beginning")])
    assert _seen(late) == []
    following = _segment(3, b"anew")
    hub.push(SESSION, following)
    assert _seen(late) == following


def test_many_empty_pieces_are_counted_too(hub: Hub) -> None:
    hub.push(SESSION, _segment(0, *(b"x" for _ in range(100))))
    assert hub.kept > 100 * kept.PIECE_BYTES


def test_beyond_the_whole_the_least_fed_loses_what_it_has(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "KEPT_BYTES", 5_000)
    hub.push("session-a", _segment(0, bytes(2_000)))
    hub.push("session-b", _segment(0, bytes(1_000)))
    hub.push("session-a", [_piece(0, 2_000, b"fed again")])
    hub.push("session-c", _segment(0, bytes(1_000)))
    assert _file(hub, 0, 1_000, session="session-b") is None
    assert _file(hub, 0, 2_009, session="session-a") is not None
    assert _file(hub, 0, 1_000, session="session-c") is not None
    assert hub.kept <= 5_000
    late = hub.watch("session-b")
    assert _seen(late) == []
    following = _segment(1, b"anew")
    hub.push("session-b", following)
    assert _seen(late) == following


def test_beyond_the_whole_finished_segments_go_first(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "KEPT_BYTES", 5_000)
    hub.push("session-a", _segment(0, bytes(500)))
    hub.push("session-b", [*_segment(0, bytes(1_500)), *_segment(1, bytes(500))])
    hub.push("session-c", _segment(0, bytes(500)))
    assert _file(hub, 0, 1_500, session="session-b") is not None
    hub.push("session-c", [_piece(0, 500, bytes(300))])
    assert _file(hub, 0, 1_500, session="session-b") is None
    assert _file(hub, 0, 500, session="session-a") is not None
    assert _file(hub, 1, 500, session="session-b") is not None
    assert _file(hub, 0, 800, session="session-c") is not None


def test_finished_segments_wait_for_their_record_for_a_while(hub: Hub, clock: ManualClock) -> None:
    for number in range(4):
        hub.push(SESSION, _segment(number, b"some ", b"bytes"))
    assert [_file(hub, number, 10) for number in range(4)] == [None, *[b"some bytes"] * 3]
    assert (_file(hub, 3, 9), _file(hub, 3, 11), _file(hub, 4, 10)) == (None, None, None)
    assert hub.file(SESSION, Track.JOURNAL, (0, 3), 10) is None
    clock.advance(kept.LINGER_MS / 1000 - 1)
    hub.sweep()
    assert _file(hub, 2, 10) is not None
    clock.advance(2)
    hub.sweep()
    assert _file(hub, 2, 10) is None
    assert _file(hub, 3, 10) is not None


def test_what_is_stored_is_let_go(hub: Hub) -> None:
    hub.push(SESSION, [*_segment(0, b"stored"), *_segment(1, b"newest")])
    before = hub.kept
    hub.stored(SESSION, Track.CAMERA, (0, 0))
    assert _file(hub, 0, 6) is None
    assert hub.kept < before
    hub.stored(SESSION, Track.CAMERA, (0, 1))
    assert _seen(hub.watch(SESSION)) == _segment(1, b"newest")
    hub.push(SESSION, _segment(2, b"next"))
    assert _file(hub, 1, 6) is None
    hub.stored(SESSION, Track.JOURNAL, (0, 0))
    hub.stored("nobody knows", Track.CAMERA, (0, 0))


def test_a_session_that_fell_silent_is_forgotten_unless_somebody_watches(hub: Hub, clock: ManualClock) -> None:
    hub.push(SESSION, _segment(0, b"data"))
    hub.push("watched", _segment(0, b"data"))
    watcher = hub.watch("watched")
    clock.advance(59)
    hub.sweep()
    assert _file(hub, 0, 4) == b"data"
    clock.advance(2)
    hub.sweep()
    assert _file(hub, 0, 4) is None
    assert not watcher.is_over
    assert hub.kept > 0
    hub.leave("watched", watcher)
    assert hub.kept == 0


def test_a_clock_that_is_set_back_forgets_all_the_same(hub: Hub, clock: ManualClock) -> None:
    clock.advance(7_200)
    hub.sweep()
    clock.jump_wall(-7_200)
    hub.push(SESSION, _segment(0, b"data"))
    clock.advance(61)
    hub.sweep()
    assert hub.kept == 0


def test_who_watched_a_session_of_which_nothing_came_leaves_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "ROOMS", 2)
    for number in range(5):
        hub.leave(f"session-{number}", hub.watch(f"session-{number}"))
    hub.push("session-a", [])
    hub.push("session-b", [])
    with pytest.raises(FairlockError, match="no more sessions"):
        hub.push("session-c", [])


def test_the_end_of_a_session_ends_its_watching(hub: Hub) -> None:
    hub.push(SESSION, _segment(0, b"data"))
    mine, other = hub.watch(SESSION), hub.watch("session-2")
    hub.end(SESSION)
    hub.end("nobody knows")
    assert (mine.is_over, mine.take(), other.is_over) == (True, b"", False)
    assert hub.kept == 0
    hub.leave(SESSION, mine)


def test_the_end_of_the_server_ends_all_of_it(hub: Hub) -> None:
    watchers = [hub.watch(SESSION), hub.watch("session-2")]
    hub.close()
    assert [watcher.is_over for watcher in watchers] == [True, True]
    with pytest.raises(FairlockError):
        hub.watch(SESSION)


def test_news_come_to_who_waits(hub: Hub) -> None:
    async def waits() -> Sequence[Piece]:
        watcher = hub.watch(SESSION)
        waiting = asyncio.create_task(watcher.news())
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.push(SESSION, _segment(0, b"data"))
        await waiting
        seen = _seen(watcher)
        again = asyncio.create_task(watcher.news())
        await asyncio.sleep(0)
        assert not again.done()
        hub.end(SESSION)
        await again
        return seen

    assert asyncio.run(waits()) == _segment(0, b"data")

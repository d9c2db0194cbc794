"""What waits for those who watch live: taken in blocks, counted until it is taken, and there once for all of them."""

import tracemalloc

import pytest

from app.clock import ManualClock
from app.contract import live
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from server.live import hub as hubs
from server.live.hub import Hub
from server.live.watcher import BLOCK, Watcher

SESSION = "session-1"
MEGABYTE = 1_000_000


@pytest.fixture
def hub() -> Hub:
    clock = ManualClock()
    return Hub(lambda: clock.now().utc_ms)


def _piece(kind: PieceKind, sequence: int, offset: int, data: bytes) -> Piece:
    return Piece(kind=kind, track=Track.SCREEN, epoch=0, sequence=sequence, offset=offset, data=data)


def _segment(sequence: int, *parts: bytes) -> list[Piece]:
    pieces, offset = [_piece(PieceKind.OPENING, sequence, 0, b"signed")], 0
    for part in parts:
        pieces.append(_piece(PieceKind.FILE, sequence, offset, part))
        offset += len(part)
    return pieces


def _all(watcher: Watcher) -> list[Piece]:
    data = b""
    while block := watcher.take():
        assert len(block) <= BLOCK
        data += block
    return list(live.decode(data))


def test_what_waits_is_taken_in_blocks_and_counted_until_then(hub: Hub) -> None:
    begun, after = _segment(0, bytes(range(250)) * 400, b"small"), _segment(1, bytes(range(200)) * 1_000, b"tiny")
    hub.push(SESSION, begun)
    watcher = hub.watch(SESSION)
    hub.push(SESSION, after)
    first = (watcher.begun, watcher.waiting)
    assert first > (100_000, 200_000)
    block = watcher.take()
    assert len(block) == BLOCK
    assert (watcher.begun, watcher.waiting) < first
    assert live.decode(block + b"".join(iter(watcher.take, b""))) == begun + after
    assert (watcher.begun, watcher.waiting) == (0, 0)


def test_who_was_handed_a_block_is_still_too_slow_with_the_rest(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "WATCHER_BYTES", 2 * MEGABYTE)
    watcher = hub.watch(SESSION)
    over = []
    for sequence in range(3):
        hub.push(SESSION, _segment(sequence, bytes(MEGABYTE)))
        over.append(watcher.is_over)
        watcher.take()
    assert over == [False, False, True]
    assert (watcher.take(), watcher.begun, watcher.waiting) == (b"", 0, 0)


def test_very_small_pieces_are_counted_as_what_they_take(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "WATCHER_BYTES", 10_000)
    watcher = hub.watch(SESSION)
    hub.push(SESSION, _segment(0, *(b"x" for _ in range(60))))
    assert watcher.is_over


def test_the_same_bytes_wait_for_all(hub: Hub) -> None:
    hub.push(SESSION, _segment(0, bytes(MEGABYTE)))
    following = [_piece(PieceKind.FILE, 0, MEGABYTE, bytes(MEGABYTE))]
    tracemalloc.start()
    try:
        watchers = [hub.watch(SESSION) for _ in range(hubs.ROOM_WATCHERS)]
        hub.push(SESSION, following)
        more, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert more < MEGABYTE // 2
    assert [watcher.begun > MEGABYTE < watcher.waiting for watcher in watchers] == [True] * hubs.ROOM_WATCHERS


def test_beginnings_that_wait_are_bounded_too(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "BEGINNING_BYTES", 2_500_000)
    early = _segment(0, bytes(MEGABYTE))
    hub.push(SESSION, early)
    hub.push("session-2", early)
    first, second = hub.watch(SESSION), hub.watch("session-2")
    third = hub.watch(SESSION)
    assert third.begun == 0
    following, after = _segment(0, bytes(MEGABYTE), b"goes on")[2:], _segment(1, b"anew")
    hub.push(SESSION, following)
    hub.push(SESSION, after)
    assert _all(third) == after
    assert _all(first) == [*early, *following, *after]
    # What was taken makes room again, and so does who left.
    fourth = hub.watch("session-2")
    assert fourth.begun > MEGABYTE
    assert hub.watch("session-2").begun == 0
    hub.leave("session-2", second)
    assert hub.watch("session-2").begun > MEGABYTE

"""Live view's way up: in order, once a second, few at a time, never with a hole; uploads know what arrived by it."""

import threading
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract import live
from app.contract.errors import Retryable
from app.contract.incidents import Track
from app.contract.live import PieceKind
from app.contract.sealing import jws
from app.contract.sealing.records import OPENING_TYPE, Opening
from app.contract.sealing.segment import parse
from app.recorder.live_feed import LONGEST_WAIT_S
from app.recorder.live_pieces import KEPT_S, MOST
from capture.chain import Place
from capture.fragments import Fragment
from capture.segmenter import Segmenter
from capture.spool import file_stem
from tests.unit.capture_parts import SESSION, Workshop
from tests.unit.live_bench import BUSY, DEADLINE_S, Bench, a_bench
from tests.unit.track_parts import a_workshop

CAMERA: Place = (0, Track.CAMERA, 0)

bench = pytest.fixture(a_bench)
workshop = pytest.fixture(a_workshop)


def record(segmenter: Segmenter, start_ms: int) -> None:
    data = start_ms.to_bytes(4, "big") * 100
    segmenter.push(Fragment(track=segmenter.track, data=data, start_ms=start_ms, duration_ms=1_000, opens_segment=True))


def test_each_segment_begins_with_the_sessions_word_and_comes_whole(bench: Bench, workshop: Workshop) -> None:
    tracks = [workshop.segmenter(track, on_written=bench.feed.take) for track in (Track.CAMERA, Track.MICROPHONE)]
    for start_ms in range(0, 12_000, 1_000):
        for segmenter in tracks:
            record(segmenter, start_ms)
        bench.feed.send()
    for segmenter in tracks:
        segmenter.close()
    bench.feed.send()
    assert len(bench.files()) == len(workshop.closed) == 6
    for closed, _ in workshop.closed:
        place = closed.epoch, closed.track, closed.sequence
        opening, *pieces = [one for one in bench.server.pieces() if (one.epoch, one.track, one.sequence) == place]
        file = (workshop.spool.folder / f"{file_stem(place)}.fls").read_bytes()
        assert b"".join(piece.data for piece in pieces) == file
        said = jws.verify(Opening, opening.data.decode(), bench.key.public_key(), typ=OPENING_TYPE)
        assert said.header == sha256(parse(file).header_bytes).digest()
        assert (said.session, (said.epoch, said.track, said.sequence)) == (SESSION, place)
        assert bench.feed.delivered(place, closed.size)


def test_nothing_but_a_beat_sends(bench: Bench) -> None:
    bench.begin()
    bench.write()
    assert not bench.server.pushes
    bench.feed.send()
    assert len(bench.server.pushes) == 1


def test_beats_keep_to_their_second_whatever_a_push_takes(bench: Bench) -> None:
    bench.clock.advance(bench.feed.rest_s())
    for took in (0.0, 0.3, 0.9):
        bench.clock.advance(took)
        rest_s = bench.feed.rest_s()
        assert rest_s == pytest.approx(1 - took)
        bench.clock.advance(rest_s)
    bench.clock.advance(7.5)
    assert bench.feed.rest_s() == 0  # late already, and the beats in between are not made up for
    assert bench.feed.rest_s() == pytest.approx(1)


@pytest.mark.parametrize("said", [None, b"", {"watchers": 3}])
def test_nothing_that_is_answered_changes_the_rhythm(bench: Bench, said: object) -> None:
    """Else it would show who is watched."""
    bench.server.said = said
    rests = []
    for _ in range(5):
        rests.append(round(bench.feed.rest_s(), 3))
        bench.clock.advance(rests[-1])
        bench.try_next()
    assert rests == [0, 1, 1, 1, 1]
    assert bench.server.tries == 5


def test_many_small_pieces_are_several_pushes(bench: Bench) -> None:
    bench.begin()
    for _ in range(live.MAX_PIECES):
        bench.write(size=1)
    bench.feed.send()
    assert bench.files() == {CAMERA: bench.size()}
    assert all(len(push) <= live.MAX_PIECES for push in bench.server.pushes)


def test_nothing_is_sent_while_the_upload_is_held(bench: Bench) -> None:
    bench.held = True
    bench.try_next()
    bench.held = False
    bench.write()
    bench.feed.send()
    assert not bench.server.tries
    place = bench.begin()
    bench.feed.send()
    assert bench.files() == {place: 100}


def test_the_hold_is_asked_before_each_push(bench: Bench) -> None:
    """On a thin link there is always something more to send, and a beat never ends by itself."""

    def meanwhile() -> None:
        bench.write(size=10)
        bench.held = bench.server.tries == 3

    bench.server.during = meanwhile
    bench.try_next()
    assert bench.server.tries == 3


def test_a_failed_push_is_followed_by_the_next_segment(bench: Bench) -> None:
    bench.begin()
    bench.begin(Track.SCREEN)
    bench.server.faults = [BUSY]
    bench.feed.send()
    bench.clock.advance(LONGEST_WAIT_S)
    bench.write()
    bench.write(Track.SCREEN)
    bench.feed.send()
    assert bench.server.tries == 1  # there was nothing that may be sent
    camera = bench.begin()
    bench.write()
    bench.write(Track.SCREEN)
    bench.feed.send()
    assert bench.files() == {camera: 200}


def test_a_track_that_lost_nothing_begins_anew_as_well(bench: Bench) -> None:
    """The server may have been started anew, and then knows nothing of how the segment began."""
    bench.try_next()
    bench.begin(Track.SCREEN)
    bench.server.faults = [BUSY]
    bench.feed.send()
    bench.clock.advance(LONGEST_WAIT_S)
    bench.write()
    bench.feed.send()
    assert bench.files() == {CAMERA: 100}


def test_too_much_is_dropped_up_to_the_next_segment(bench: Bench) -> None:
    bench.begin(size=1_000)
    bench.begin(Track.SCREEN, size=MOST - 1_000)
    bench.write(size=1)
    bench.write(Track.SCREEN, size=1)
    bench.feed.send()
    assert not bench.server.pushes
    camera = bench.begin(size=MOST)  # as much as may wait
    bench.feed.send()
    assert bench.files() == {camera: MOST}
    assert len(bench.server.pushes) == 2


def test_what_is_on_its_way_counts_as_waiting(bench: Bench) -> None:
    bench.begin(size=MOST // 2 - 4_096)
    bench.server.during = lambda: bench.begin(Track.SCREEN, size=MOST // 2 + 8_192)
    bench.feed.send()
    assert bench.files() == {CAMERA: bench.size()}
    assert not bench.feed.delivered(CAMERA, bench.size() + 1)


def test_what_is_long_over_is_forgotten(bench: Bench) -> None:
    for _ in range(50):
        bench.try_next()
        bench.clock.advance(5)
    assert len(bench.feed._pieces._segments) <= 6


@given(st.lists(st.tuples(st.sampled_from(("begin", "write", "send", "fail", "hold")), st.sampled_from(live.MEDIA))))
def test_whatever_happens_no_segment_has_a_hole(steps: list[tuple[str, Track]]) -> None:
    bench = Bench()
    for track in live.MEDIA:
        bench.begin(track)
    for step, track in steps:
        bench.clock.advance(1)
        bench.held = step == "hold"
        if step == "begin":
            bench.begin(track)
        elif step == "write":
            bench.write(track)
        else:
            bench.server.faults = [BUSY] if step == "fail" else []
            bench.feed.send()
    bench.files()
    starts = [piece for piece in bench.server.pieces() if piece.offset == 0]
    pairs = [(a, b) for a, b in pairwise(starts) if a.kind is PieceKind.OPENING]
    assert all(b.kind is PieceKind.FILE and a.place == b.place and a.track is b.track for a, b in pairs)


def test_delivered_is_what_arrived_whole_and_not_long_ago(bench: Bench) -> None:
    place = bench.begin()
    bench.feed.send()
    bench.write()
    assert not bench.feed.delivered(place, 300)  # more than was ever taken
    bench.feed.send()
    assert bench.feed.delivered(place, 200)
    assert not bench.feed.delivered(place, 100)
    bench.clock.advance(KEPT_S + 0.1)
    assert not bench.feed.delivered(place, 200)


def test_a_lost_piece_is_not_delivered(bench: Bench) -> None:
    place = bench.begin()
    bench.feed.send()
    bench.write()
    bench.server.faults = [BUSY]
    bench.feed.send()
    assert not bench.feed.delivered(place, 200)


def test_of_each_segment_that_was_sent_it_is_said_whether_it_came_in_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.recorder.live_feed.PATIENCE_S", 0)
    place = bench.begin()
    bench.feed.send()
    bench.write()
    bench.feed.delivered(place, 200)  # its end still waits
    bench.feed.send()
    bench.feed.delivered(place, 200)
    bench.feed.delivered((0, Track.SCREEN, 7), 200)  # of which nothing was ever there
    assert bench.due == [False, True]


def test_an_upload_waits_for_the_last_piece_on_its_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.recorder.live_feed.PATIENCE_S", DEADLINE_S)
    place = bench.begin()
    bench.feed.send()
    bench.write()
    threading.Timer(0.05, bench.feed.send).start()
    assert bench.feed.delivered(place, 200)


def test_an_upload_waits_no_longer_when_it_is_over(bench: Bench) -> None:
    place = bench.begin()
    bench.feed.send()
    finished = bench.begin(Track.SCREEN)
    bench.feed.send()
    bench.write()
    bench.feed.stop()
    assert not bench.feed.delivered(place, 200)
    assert bench.feed.delivered(finished, 100)  # what arrived before is still known


def test_no_upload_waits_for_what_can_not_be_sent_now(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.recorder.live_feed.PATIENCE_S", 100_000.0)  # else it would end by itself
    bench.begin()
    bench.server.faults = [Retryable("busy", after_s=300)]
    bench.feed.send()
    place = bench.begin()
    bench.write()
    bench.feed.send()
    answers: list[bool] = []
    upload = threading.Thread(target=lambda: answers.append(bench.feed.delivered(place, 200)), daemon=True)
    upload.start()
    upload.join(5)
    assert answers == [False]

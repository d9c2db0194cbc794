"""Live view's way up: in order, once a second, few at a time, never with a hole; nothing of it stops a recording."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.clock import ManualClock
from app.contract import live
from app.contract.errors import FairlockError, IntegrityError, Outcome, Retryable, UserFacing
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from app.contract.sealing import jws
from app.contract.sealing.records import OPENING_TYPE, Opening
from app.contract.sealing.segment import parse
from app.recorder.live_feed import LONGEST_WAIT_S, SELDOM_S, FeedParts, LiveFeed
from app.recorder.live_pieces import KEPT_S, MOST
from capture.chain import Place
from capture.fragments import Fragment
from capture.segmenter import Segmenter
from capture.spool import file_stem
from tests.unit.capture_parts import SESSION, Workshop

DEADLINE_S = 60.0
CAMERA: Place = (0, Track.CAMERA, 0)
BUSY = Retryable("busy")
REFUSED = UserFacing("no", advice="", code="E-SESSION-ENDED")


class Server:
    """Takes pushes, or answers with the next of ``faults``."""

    def __init__(self) -> None:
        self.pushes: list[list[Piece]] = []
        self.faults: list[FairlockError] = []
        self.tries = 0
        self.during: Callable[[], object] = lambda: None
        self.said: object = None

    def push(self, body: bytes) -> object:
        self.tries += 1
        self.during()
        if self.faults:
            raise self.faults.pop(0)
        assert len(body) <= live.MAX_PUSH
        self.pushes.append(list(live.decode(body)))
        return self.said

    def pieces(self) -> list[Piece]:
        return [piece for push in self.pushes for piece in push]


class Bench:
    """A feed by hand: no thread, a clock that stands still, and a lot that always falls the same."""

    def __init__(self, *, lot: float = 1.0) -> None:
        self.clock, self.server, self.key = ManualClock(), Server(), Ed25519PrivateKey.generate()
        self.held = False
        self.told: list[FairlockError] = []
        self.waits: list[str] = []
        self.due: list[bool] = []
        self.feed = LiveFeed(
            FeedParts(
                session=SESSION,
                signing_key=self.key,
                push=self.server.push,
                clock=self.clock,
                is_held=lambda: self.held,
                on_end=self.told.append,
                on_wait=lambda error: self.waits.append(error.code),
                on_due=self.due.append,
                jitter=lambda: lot,
            )
        )
        self._sizes: dict[Track, int] = {}
        self._sequences: dict[Track, int] = defaultdict(lambda: -1)

    def begin(self, track: Track = Track.CAMERA, size: int = 100) -> Place:
        """Let the next segment's file of a track take its first bytes."""
        self._sequences[track] += 1
        self._sizes[track] = 0
        self.write(track, size)
        return 0, track, self._sequences[track]

    def try_next(self) -> None:
        """Let the camera's next segment begin, and a beat come."""
        self.begin()
        self.feed.send()

    def write(self, track: Track = Track.CAMERA, size: int = 100) -> None:
        """Let the file take more."""
        offset = self._sizes[track]
        data = bytes([offset % 251]) * size
        self.feed.take((0, track, self._sequences[track]), offset, data)
        self._sizes[track] = offset + size

    def size(self, track: Track = Track.CAMERA) -> int:
        return self._sizes[track]

    def files(self) -> dict[Place, int]:
        """Return how much of each file arrived, having checked that nothing of it is missing."""
        arrived: dict[Place, int] = {}
        for piece in self.server.pieces():
            place = piece.epoch, piece.track, piece.sequence
            if piece.kind is PieceKind.OPENING:
                assert place not in arrived
                arrived[place] = 0
            else:
                assert piece.offset == arrived[place]
                arrived[place] += len(piece.data)
        return arrived


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.close()


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


def test_many_small_pieces_are_several_pushes(bench: Bench) -> None:
    bench.begin()
    for _ in range(live.MAX_PIECES):
        bench.write(size=1)
    bench.feed.send()
    assert bench.files() == {CAMERA: bench.size()}
    assert all(len(push) <= live.MAX_PIECES for push in bench.server.pushes)


def test_a_refusal_ends_it_and_is_told_once(bench: Bench) -> None:
    bench.begin()
    bench.server.faults = [REFUSED]
    bench.feed.start()
    bench.feed._thread.join(DEADLINE_S)
    bench.try_next()
    assert bench.told == [REFUSED]
    assert bench.server.tries == 1


@pytest.mark.parametrize("error", [REFUSED, IntegrityError(Outcome.DIGEST_MISMATCH, "another")])
def test_each_refusal_is_for_good(bench: Bench, error: FairlockError) -> None:
    bench.server.faults = [error]
    bench.try_next()
    bench.clock.advance(1_000)
    bench.try_next()
    assert bench.server.tries == 1


@pytest.mark.parametrize(
    "error", [BUSY, UserFacing("x", advice="", code="E-CERTIFICATE"), UserFacing("x", advice="", code="E-PIN")]
)
def test_waits_grow_up_to_their_longest(bench: Bench, error: FairlockError) -> None:
    for tries, wait_s in enumerate((1, 2, 4, 8, LONGEST_WAIT_S, LONGEST_WAIT_S), start=1):
        bench.server.faults = [error]
        bench.try_next()
        bench.clock.advance(wait_s - 0.1)
        bench.try_next()
        assert bench.server.tries == tries
        bench.clock.advance(0.1)
    bench.try_next()
    assert bench.files()
    assert not bench.told


def test_it_waits_as_long_as_the_server_asks(bench: Bench) -> None:
    bench.server.faults = [Retryable("busy", after_s=30)]
    bench.try_next()
    bench.clock.advance(35.9)  # and up to a fifth longer, by lot: not all come at once
    bench.try_next()
    assert bench.server.tries == 1
    bench.clock.advance(0.2)
    bench.try_next()
    assert bench.server.tries == 2


def test_a_server_that_asks_for_less_than_the_wait_is_not_asked_sooner(bench: Bench) -> None:
    for tries, wait_s in enumerate((1.2, 2, 4), start=1):
        bench.server.faults = [Retryable("busy", after_s=1)]
        bench.try_next()
        bench.clock.advance(wait_s - 0.1)
        bench.try_next()
        assert bench.server.tries == tries
        bench.clock.advance(0.2)


def test_who_answers_again_is_waited_for_as_at_first(bench: Bench) -> None:
    for faults, wait_s in (([BUSY], 1), ([BUSY], 2), ([], 0), ([BUSY], 1)):
        bench.server.faults = list(faults)
        bench.try_next()
        bench.clock.advance(wait_s)
    bench.try_next()
    assert bench.server.tries == 5


def test_not_all_applications_ask_at_once() -> None:
    bench = Bench(lot=0.25)
    assert bench.feed.rest_s() == pytest.approx(0.75)
    bench.server.faults = [BUSY]
    bench.try_next()
    for wait_s, tries in ((0.6, 1), (0.05, 2)):
        bench.clock.advance(wait_s)
        bench.try_next()
        assert bench.server.tries == tries


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


def test_stopping_sends_nothing_more_and_waits_for_no_push(bench: Bench) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        assert may_answer.wait(DEADLINE_S)

    bench.server.during, bench.server.faults = hang, [REFUSED]
    bench.begin()
    bench.feed.start()
    assert asked.wait(DEADLINE_S)
    bench.feed.stop()  # returns, though the push has no answer
    bench.begin()
    may_answer.set()
    bench.feed._thread.join(DEADLINE_S)
    assert bench.server.tries == 1
    assert not bench.told


def test_its_own_faults_never_reach_the_recording(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(bench.feed._pieces, "take", broken)
    bench.begin()
    bench.write()
    bench.feed.start()
    bench.feed._thread.join(DEADLINE_S)
    (error,) = bench.told
    assert "a fault of ours" in str(error)


def test_a_fault_while_sending_is_told_as_well(bench: Bench) -> None:
    def broken() -> None:
        raise RuntimeError("a fault of ours")

    bench.server.during = broken
    bench.begin()
    bench.feed.start()
    bench.feed._thread.join(DEADLINE_S)
    assert "a fault of ours" in str(bench.told[0])


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


def test_who_knows_no_live_view_is_asked_seldom_and_with_empty_hands(bench: Bench) -> None:
    bench.server.faults = [UserFacing("status 404", advice="", code="E-ANSWER") for _ in range(10)]
    for tries in range(1, 11):
        bench.try_next()
        bench.clock.advance(min(SELDOM_S, 2.0 ** (tries - 1)) - 0.1)
        bench.try_next()
        assert bench.server.tries == tries
        bench.clock.advance(0.1)
    assert bench.waits == ["E-ANSWER"]
    place = bench.begin()
    bench.feed.send()
    assert [len(push) for push in bench.server.pushes] == [0, 2]
    assert bench.files() == {place: 100}
    assert not bench.told


def test_the_hold_is_asked_before_each_push(bench: Bench) -> None:
    """On a thin link there is always something more to send, and a beat never ends by itself."""

    def meanwhile() -> None:
        bench.write(size=10)
        bench.held = bench.server.tries == 3

    bench.server.during = meanwhile
    bench.try_next()
    assert bench.server.tries == 3


def test_a_lost_piece_is_not_delivered(bench: Bench) -> None:
    place = bench.begin()
    bench.feed.send()
    bench.write()
    bench.server.faults = [BUSY]
    bench.feed.send()
    assert not bench.feed.delivered(place, 200)


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

"""A track whose encoder is slow when it is stopped: what it still brings is waited for, but not for ever."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from app.contract.incidents import Track
from app.contract.policy import Codec
from capture.encoder import VideoEncoder
from capture.fake import FakeVideo
from capture.fragments import Fragment
from capture.frames import Frame
from capture.sources import SourceLost
from capture.track import DRAIN_S, MOMENT_S, STANDS, TOO_SLOW, TrackRecorder
from tests.unit.capture_parts import Workshop
from tests.unit.track_parts import DEADLINE_S, Told, a_workshop, camera_recorder, ms, recorded_times
from tests.xserver import wait_for

workshop = pytest.fixture(a_workshop)
AT_ONCE, ALL = 30, 90
PATIENCE_S = 3.0


class Slow(VideoEncoder):
    """Encodes ``AT_ONCE`` pictures and then those for which time passes, ``per_wait`` whenever it is waited for."""

    per_wait = 0

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=workshop.origin)
        self.may = threading.Semaphore(AT_ONCE)
        self.now_s, self.encoded = 1_000.0, 0

    def encode(self, item: Frame) -> list[Fragment]:
        assert self.may.acquire(timeout=DEADLINE_S)
        self.encoded += 1
        return super().encode(item)

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        goal = min(ALL, self.encoded + self.per_wait)
        for _ in range(goal - self.encoded):
            self.may.release()
        wait_for(lambda: self.encoded == goal, "the pictures of this time")


@pytest.fixture
def encoder(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    made = Slow(workshop)
    monkeypatch.setattr("capture.track.time", SimpleNamespace(monotonic=lambda: made.now_s))
    yield made
    made.may.release(ALL)
    for thread in threading.enumerate():
        if thread.name == "camera-seal":
            thread.join(DEADLINE_S)


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def recorder(
    workshop: Workshop, encoder: Slow, told: Told, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> TrackRecorder[Frame]:
    """Return a recorder in whose queue most pictures wait; what its encoder is waited for is taken down."""

    def join(timeout: float | None = None) -> None:
        assert timeout is not None
        waited.append(timeout)
        encoder.pass_time(timeout)
        if encoder.encoded == ALL:
            real_join(DEADLINE_S)

    made = camera_recorder(workshop, FakeVideo(workshop.clock, limit=ALL), told, encoder=encoder)
    real_join = made._sealer.join
    monkeypatch.setattr(made._sealer, "join", join)
    made.start()
    told.wait()
    wait_for(lambda: encoder.encoded == AT_ONCE, "what is encoded at once")
    return made


@pytest.fixture
def told() -> Told:
    return Told(SourceLost)


def test_an_encoder_that_is_slow_brings_all_that_is_queued(
    workshop: Workshop, encoder: Slow, recorder: TrackRecorder[Frame], told: Told, waited: list[float]
) -> None:
    encoder.per_wait = 15
    assert recorder.stop(PATIENCE_S)
    assert sum(waited) > 3 * PATIENCE_S, "longer than for one that stands"
    assert len(recorded_times(workshop)) == ALL
    assert not [gap for gap in told.gaps if gap.reason in (STANDS, TOO_SLOW)]


def test_one_that_is_far_too_slow_is_given_up_and_what_it_lacks_is_a_gap(
    workshop: Workshop, encoder: Slow, recorder: TrackRecorder[Frame], told: Told, waited: list[float]
) -> None:
    encoder.per_wait = 1
    assert recorder.stop(PATIENCE_S)
    assert sum(waited) == pytest.approx(DRAIN_S)
    (gap,) = [gap for gap in told.gaps if gap.reason in (STANDS, TOO_SLOW)]
    assert gap.reason == TOO_SLOW
    assert gap.end == workshop.clock.now()
    kept_ms = max(record.start_ms + record.duration_ms for record, _ in workshop.closed)
    assert ms(workshop, gap.start) == pytest.approx(kept_ms, abs=1)


def test_one_that_stands_is_given_up_when_it_has_taken_nothing_for_long_enough(
    encoder: Slow, recorder: TrackRecorder[Frame], told: Told, waited: list[float]
) -> None:
    encoder.per_wait = 0
    assert recorder.stop(PATIENCE_S)
    assert sum(waited) == pytest.approx(PATIENCE_S)
    assert STANDS in [gap.reason for gap in told.gaps]


def test_one_that_stood_while_others_were_waited_for_is_waited_for_a_moment_only(
    encoder: Slow, recorder: TrackRecorder[Frame], waited: list[float]
) -> None:
    recorder.ask_to_stop()
    encoder.now_s += PATIENCE_S
    assert recorder.stop(PATIENCE_S)
    assert sum(waited) == pytest.approx(MOMENT_S)

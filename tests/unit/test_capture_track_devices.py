"""A track whose device is lost, goes quiet, fails or can't be opened: told once, tried again, a gap in between."""

import threading

import pytest

from app.clock import ManualClock
from app.contract.errors import Fatal, UserFacing
from capture.fake import FakeVideo
from capture.frames import Frame
from capture.sources import SourceLost
from capture.track import TrackLost
from tests.unit.capture_parts import Workshop
from tests.unit.track_parts import DEADLINE_S, Told, a_workshop, camera_recorder, ms, recorded_times

workshop = pytest.fixture(a_workshop)


class Unplugged(FakeVideo):
    """Is lost before picture 30, can't be opened twice, and is back three seconds later."""

    refusals = 2

    def read(self) -> Frame:
        if self._seq == 30 and self.refusals:
            raise SourceLost("unplugged")
        return super().read()

    def open(self) -> None:
        if self._seq == 30 and self.refusals:
            self.refusals -= 1
            if self.refusals:
                raise UserFacing("No camera was found.", advice="Connect it.", code="E-CAMERA-NONE")
            self._pacer.restart()
            self._clock_of_test.advance(3)
        super().open()

    def __init__(self, clock: ManualClock, *, limit: int) -> None:
        super().__init__(clock, limit=limit)
        self._clock_of_test = clock


def test_a_lost_camera_is_told_once_and_the_time_between_is_a_gap(workshop: Workshop) -> None:
    told = Told()
    assert isinstance(workshop.clock, ManualClock)
    done = threading.Event()
    source = Unplugged(workshop.clock, limit=60)
    recorder = camera_recorder(workshop, source, told, on_frame=lambda frame: done.set() if frame.seq == 59 else None)
    recorder.start()
    assert done.wait(DEADLINE_S)
    assert recorder.stop(DEADLINE_S)
    assert str(told.errors[0]) == "unplugged"
    gap = told.gaps[0]
    assert gap.reason == "the device was lost"
    assert (ms(workshop, gap.start), ms(workshop, gap.end)) == pytest.approx((2_000, 4_933), abs=70)
    assert told.back == [gap]
    times = recorded_times(workshop)
    assert len(times) == pytest.approx(60 + 3 * 15, abs=2)


def test_a_camera_that_stays_lost_is_a_gap_to_the_end(workshop: Workshop) -> None:
    told = Told()
    assert isinstance(workshop.clock, ManualClock)
    recorder = camera_recorder(workshop, FakeVideo(workshop.clock, limit=30), told)
    recorder.start()
    told.wait()
    workshop.clock.advance(5)
    assert recorder.stop(DEADLINE_S)
    assert [gap.reason for gap in told.gaps] == ["the device was lost"]
    assert told.back == []
    assert ms(workshop, told.gaps[0].end) == pytest.approx(29 * 1000 / 15 + 5_000, abs=1)


class Quiet(FakeVideo):
    """Blocks at picture 30 without a word, as a driver does whose cable was pulled, until ``plug``."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.blocked, self.plug, self.seen = threading.Event(), threading.Event(), threading.Event()

    def read(self) -> Frame:
        if self._seq == 30:
            self.blocked.set()
            assert self.plug.wait(DEADLINE_S)
        if self._seq == 60:
            self.seen.set()
        return super().read()


def test_a_source_that_goes_quiet_is_lost_within_three_seconds_and_found_again(workshop: Workshop) -> None:
    told = Told()
    assert isinstance(workshop.clock, ManualClock)
    source = Quiet(workshop.clock)
    recorder = camera_recorder(workshop, source, told)
    recorder.start()
    assert source.blocked.wait(DEADLINE_S)
    workshop.clock.advance(2.5)
    told.wait()
    assert [str(error) for error in told.errors] == ["the camera has given nothing for 2 s"]
    source.plug.set()
    assert source.seen.wait(DEADLINE_S)
    assert recorder.stop(DEADLINE_S)
    assert [gap.reason for gap in told.back] == ["nothing came"]
    assert ms(workshop, told.back[0].start) == pytest.approx(2_000, abs=2)
    assert len(told.errors) == 1


class Hiccup(FakeVideo):
    """Its driver fails once, in a way that nobody foresaw."""

    failed = False

    def read(self) -> Frame:
        if self._seq == 30 and not self.failed:
            self.failed = True
            raise RuntimeError("driver fault")
        return super().read()


def test_a_device_that_fails_unforeseen_is_opened_again(workshop: Workshop) -> None:
    told = Told()
    done = threading.Event()
    recorder = camera_recorder(
        workshop, Hiccup(workshop.clock), told, renewals=1, on_frame=lambda f: done.set() if f.seq == 59 else None
    )
    recorder.start()
    assert done.wait(DEADLINE_S)
    assert recorder.stop(DEADLINE_S)
    assert [str(error) for error in told.errors] == ["RuntimeError: driver fault"]
    assert [gap.reason for gap in told.gaps if "dropped" not in gap.reason] == ["reading from the device failed"]
    assert told.back == []


class Jammed(Hiccup):
    """Its driver fails once, and then opening it does, ``jams`` times, in a way that nobody foresaw either."""

    jams = 0

    def open(self) -> None:
        if self.failed and self.jams:
            self.jams -= 1
            raise OSError("no room for the picture's memory")
        super().open()


def test_a_device_that_fails_unforeseen_when_it_is_opened_again_is_tried_once_more(workshop: Workshop) -> None:
    told, done, source = Told(), threading.Event(), Jammed(workshop.clock)
    source.jams = 2
    recorder = camera_recorder(
        workshop, source, told, renewals=3, on_frame=lambda f: done.set() if f.seq == 59 else None
    )
    recorder.start()
    assert done.wait(DEADLINE_S)
    assert recorder.stop(DEADLINE_S)
    jammed = "OSError: no room for the picture's memory"
    assert [str(error) for error in told.errors] == ["RuntimeError: driver fault", jammed, jammed]
    assert [gap.reason for gap in told.gaps if "dropped" not in gap.reason] == ["reading from the device failed"]


def test_a_device_that_never_opens_again_loses_the_track(workshop: Workshop) -> None:
    told, source = Told(TrackLost), Jammed(workshop.clock)
    source.jams = 100
    recorder = camera_recorder(workshop, source, told, renewals=3)
    recorder.start()
    told.wait()
    assert isinstance(workshop.clock, ManualClock)
    workshop.clock.advance(60)
    assert recorder.stop(DEADLINE_S)
    assert [type(error) for error in told.errors] == [Fatal, Fatal, Fatal, TrackLost]
    (gap,) = [gap for gap in told.gaps if "dropped" not in gap.reason]
    assert (gap.reason, gap.end) == ("reading from the device failed", workshop.clock.now())


class Clinging(FakeVideo):
    """Can't be closed."""

    def close(self) -> None:
        raise RuntimeError("the driver hangs on")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_device_that_cannot_be_closed_keeps_nothing_from_being_sealed(workshop: Workshop) -> None:
    told, done = Told(), threading.Event()
    source = Clinging(workshop.clock)
    recorder = camera_recorder(workshop, source, told, on_frame=lambda f: done.set() if f.seq == 59 else None)
    recorder.start()
    assert done.wait(DEADLINE_S)
    recorder._stopping.set()  # as a track that is lost ends: nobody but the reader closes the queue
    recorder._sealer.join(DEADLINE_S)
    assert not recorder._sealer.is_alive()
    assert recorder.stop(DEADLINE_S)
    assert recorded_times(workshop)

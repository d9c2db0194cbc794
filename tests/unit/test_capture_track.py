"""One track, real threads: everything that was read is on disk; drops, losses and full disks are told as gaps."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.errors import FairlockError, Fatal, UserFacing
from app.contract.incidents import Track
from app.contract.policy import Codec
from app.contract.times import Instant
from app.supervisor import RestartWindow
from capture.encoder import AudioEncoder, VideoEncoder
from capture.fake import FakeMicrophone, FakeVideo
from capture.fragments import Fragment
from capture.frames import AudioChunk, Frame, Gap
from capture.pictures import Picture
from capture.quality import STANDARD, Quality
from capture.sources import SourceLost
from capture.spool import SpoolFull
from capture.track import Source, TrackLost, TrackRecorder
from tests.unit.capture_parts import Workshop, picture_times, sound_length
from tests.xserver import wait_for

DEADLINE_S = 60.0


class Told:
    """What a recorder told; ``lost`` is set by an error of one of the kinds ``waits_for``."""

    def __init__(self, *waits_for: type[FairlockError]) -> None:
        self._waits_for = waits_for or (SourceLost, TrackLost)
        self.gaps: list[Gap] = []
        self.errors: list[FairlockError] = []
        self.back: list[Gap] = []
        self.lost = threading.Event()

    def error(self, error: FairlockError) -> None:
        self.errors.append(error)
        if isinstance(error, self._waits_for):
            self.lost.set()

    def wait(self) -> None:
        assert self.lost.wait(DEADLINE_S)


class GatedEncoder(VideoEncoder):
    """A real encoder that waits at the gate before each picture."""

    def __init__(self, origin: Instant) -> None:
        super().__init__(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=origin)
        self.entered, self.gate, self.busy = threading.Event(), threading.Event(), threading.Semaphore(0)

    def encode(self, item: Frame) -> list[Fragment]:
        self.entered.set()
        assert self.gate.wait(DEADLINE_S)
        self.busy.release()
        return super().encode(item)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.close()


def camera_recorder(
    workshop: Workshop,
    source: Source[Frame],
    told: Told,
    *,
    encoder: VideoEncoder | None = None,
    queue_s: float = 100,
    on_frame: Callable[[Frame], None] | None = None,
    renew: Callable[[Frame, int], VideoEncoder] | None = None,
    renewals: int = 0,
) -> TrackRecorder[Frame]:
    encoder = encoder or VideoEncoder(
        Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=workshop.origin
    )
    source.open()
    return TrackRecorder(
        track=Track.CAMERA,
        source=source,
        encoder=encoder,
        segmenter=workshop.segmenter(Track.CAMERA, mime=encoder.mime, init=encoder.init),
        rate=15,
        queue_s=queue_s,
        clock=workshop.clock,
        timeline_origin=workshop.origin,
        on_frame=on_frame,
        on_gap=told.gaps.append,
        on_error=told.error,
        on_back=told.back.append,
        renew=renew,
        may_renew=RestartWindow(renewals, 1e9).allow,  # the fake source runs the clock as fast as it can
        retry_s=0.001,
    )


def recorded_times(workshop: Workshop) -> list[float]:
    return [t for record, _ in workshop.closed for t in picture_times(b"".join(workshop.open(record).fragments))]


def ms(workshop: Workshop, at: Instant) -> float:
    return (at.mono_ns - workshop.origin.mono_ns) / 1e6


def test_every_picture_that_was_read_is_on_disk(workshop: Workshop) -> None:
    told, seen = Told(), list[Frame]()
    source = FakeVideo(workshop.clock, limit=170)
    recorder = camera_recorder(workshop, source, told, on_frame=seen.append)
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    assert len(seen) == 170
    assert recorded_times(workshop) == pytest.approx([n / 15 for n in range(170)], abs=0.0011)
    assert all(record.complete for record, _ in workshop.closed)
    assert recorder.dropped == 0
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("camera-")] == []


def test_drops_are_counted_and_become_one_gap(workshop: Workshop) -> None:
    told, encoder = Told(), GatedEncoder(workshop.origin)

    def watch(frame: Frame) -> None:
        if frame.seq == 1:
            assert encoder.entered.wait(DEADLINE_S)  # picture 0 is being encoded, so 1 to 30 fill the queue
        if frame.seq == 50:
            encoder.gate.set()
            assert encoder.busy.acquire(timeout=DEADLINE_S)
            assert encoder.busy.acquire(timeout=DEADLINE_S)

    recorder = camera_recorder(
        workshop, FakeVideo(workshop.clock, limit=51), told, encoder=encoder, queue_s=2, on_frame=watch
    )
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    assert recorder.dropped == 19
    gap = told.gaps[0]
    assert "19 dropped" in gap.reason
    assert (ms(workshop, gap.start), ms(workshop, gap.end)) == pytest.approx((31 * 1000 / 15, 50 * 1000 / 15), abs=1)
    assert len(recorded_times(workshop)) == 51  # the missing ones are the last one again


def test_drops_at_the_very_end_are_told_too(workshop: Workshop) -> None:
    told, encoder = Told(), GatedEncoder(workshop.origin)

    def watch(frame: Frame) -> None:
        if frame.seq == 1:
            assert encoder.entered.wait(DEADLINE_S)

    recorder = camera_recorder(
        workshop, FakeVideo(workshop.clock, limit=40), told, encoder=encoder, queue_s=2, on_frame=watch
    )
    recorder.start()
    told.wait()
    encoder.gate.set()
    assert recorder.stop(DEADLINE_S)
    assert recorder.dropped == 9
    assert any("9 dropped" in gap.reason for gap in told.gaps)


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


def test_a_full_spool_is_told_once_and_ends_as_a_gap(tmp_path: Path) -> None:
    workshop, told = Workshop(tmp_path, quota_bytes=30_000), Told()
    recorder = camera_recorder(workshop, FakeVideo(workshop.clock, limit=300), told)
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    assert sum(isinstance(error, SpoolFull) for error in told.errors) == 1
    full = [gap for gap in told.gaps if gap.reason == "no room on the disk"]
    assert len(full) == 1
    kept = max(record.start_ms + record.duration_ms for record, _ in workshop.closed)
    assert ms(workshop, full[0].start) == pytest.approx(kept, abs=1)
    workshop.close()


def test_a_broken_encoder_is_told_and_ends_the_recording(workshop: Workshop) -> None:
    told = Told()

    class Broken(VideoEncoder):
        def encode(self, item: Frame) -> list[Fragment]:
            raise RuntimeError("out of order")

    encoder = Broken(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=workshop.origin)
    recorder = camera_recorder(workshop, FakeVideo(workshop.clock), told, encoder=encoder)
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    assert "out of order" in str(told.errors[0])
    assert isinstance(told.errors[0], TrackLost)
    assert len(told.errors) == 1


class Faulty(VideoEncoder):
    """Fails once, at the picture that its place in the row of encoders says."""

    def __init__(self, origin: Instant, fails_at: int) -> None:
        super().__init__(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=origin)
        self._fails_at = fails_at

    def encode(self, item: Frame) -> list[Fragment]:
        if item.seq == self._fails_at:
            raise RuntimeError(f"out of order at {item.seq}")
        return super().encode(item)


def faulty_recorder(workshop: Workshop, told: Told, *fails_at: int, limit: int, renewals: int) -> TrackRecorder[Frame]:
    encoders = [Faulty(workshop.origin, number) for number in fails_at]
    source = FakeVideo(workshop.clock, limit=limit)
    return camera_recorder(
        workshop, source, told, encoder=encoders.pop(0), renew=lambda *_: encoders.pop(0), renewals=renewals
    )


def test_a_broken_encoder_is_replaced_and_the_time_between_is_a_gap(workshop: Workshop) -> None:
    told = Told(SourceLost)
    recorder = faulty_recorder(workshop, told, 50, 100, -1, limit=170, renewals=3)
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    faults = [str(error) for error in told.errors if not isinstance(error, SourceLost)]
    assert faults == ["RuntimeError: out of order at 50", "RuntimeError: out of order at 100"]
    gaps = [gap for gap in told.gaps if gap.reason == "encoding or sealing failed"]
    assert [ms(workshop, gap.end) for gap in gaps] == pytest.approx([51 * 1000 / 15, 101 * 1000 / 15], abs=2)
    assert all(ms(workshop, gap.end) - ms(workshop, gap.start) < 400 for gap in gaps)
    # Every picture is either on disk or inside a gap, and the segments' numbers go on.
    missing = {
        n
        for n in range(170)
        for gap in gaps
        if ms(workshop, gap.start) - 1 <= n * 1000 / 15 < ms(workshop, gap.end) - 1
    }
    assert recorded_times(workshop) == pytest.approx([n / 15 for n in range(170) if n not in missing], abs=0.0011)
    assert [record.sequence for record, _ in workshop.closed] == list(range(len(workshop.closed)))
    assert {round(ms(workshop, gap.end)) for gap in gaps} <= {record.start_ms for record, _ in workshop.closed}
    assert all(record.complete for record, _ in workshop.closed)


def test_a_track_that_fails_too_often_is_lost_and_a_gap_to_the_end(workshop: Workshop) -> None:
    told = Told(TrackLost)
    assert isinstance(workshop.clock, ManualClock)
    recorder = faulty_recorder(workshop, told, 40, 41, 42, 43, limit=10_000, renewals=3)
    recorder.start()
    told.wait()
    recorder._reader.join(DEADLINE_S)
    workshop.clock.advance(60)
    assert recorder.stop(DEADLINE_S)
    # The fake source runs ahead of the encoder and may come to its end meanwhile.
    faults = [type(error) for error in told.errors if not isinstance(error, SourceLost)]
    assert faults == [Fatal, Fatal, Fatal, TrackLost]
    assert next(error for error in told.errors if isinstance(error, TrackLost)).code == "E-TRACK-LOST"
    (gap,) = [gap for gap in told.gaps if gap.reason == "encoding or sealing failed"]
    kept = max(record.start_ms + record.duration_ms for record, _ in workshop.closed)
    assert ms(workshop, gap.start) == pytest.approx(kept, abs=1)
    assert gap.end == workshop.clock.now()
    assert all(record.complete for record, _ in workshop.closed)


def test_an_encoder_that_does_not_fit_is_not_put_in(workshop: Workshop) -> None:
    told = Told()
    larger = VideoEncoder(Track.CAMERA, width=320, height=240, fps=15, codec=Codec.VP9, timeline_origin=workshop.origin)
    encoder, source = Faulty(workshop.origin, 5), FakeVideo(workshop.clock)
    recorder = camera_recorder(workshop, source, told, encoder=encoder, renew=lambda *_: larger, renewals=3)
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    assert [type(error) for error in told.errors] == [Fatal, TrackLost]


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


class Clinging(FakeVideo):
    """Can't be closed."""

    def close(self) -> None:
        raise RuntimeError("the driver hangs on")


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


class Stuttering(FakeMicrophone):
    """Its driver lost five chunks after the first fifty."""

    def read(self) -> AudioChunk:
        if self._seq == 50:
            for _ in range(5):
                super().read()
        return super().read()


def test_sound_that_the_driver_lost_is_a_gap_and_silence(workshop: Workshop) -> None:
    told, encoder, source = Told(), AudioEncoder(workshop.origin), Stuttering(workshop.clock, limit=200)
    source.open()
    recorder = TrackRecorder(
        track=Track.MICROPHONE,
        source=source,
        encoder=encoder,
        segmenter=workshop.segmenter(Track.MICROPHONE, mime=encoder.mime, init=encoder.init),
        rate=50,
        queue_s=100,
        clock=workshop.clock,
        timeline_origin=workshop.origin,
        on_frame=None,
        on_gap=told.gaps.append,
        on_error=told.error,
        retry_s=0.001,
    )
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    gap = told.gaps[0]
    assert gap.reason == "5 lost in the device's driver"
    assert (ms(workshop, gap.start), ms(workshop, gap.end)) == pytest.approx((1_000, 1_100), abs=1)
    samples = sum(sound_length(b"".join(workshop.open(r).fragments))[1] for r, _ in workshop.closed)
    assert samples == pytest.approx(4 * 48_000, abs=5_000)


# --- another encoder, and a source that goes quiet --------------------------------------------------------------------


class Resized(FakeVideo):
    """Its pictures are larger from picture 40 on, as when a display is plugged in."""

    def _draw(self, number: int) -> Picture:
        image = super()._draw(number)
        return image if number < 40 else np.ascontiguousarray(np.tile(image, (1, 2, 1)))


def another(workshop: Workshop, quality: Quality = STANDARD) -> Callable[[Frame, int], VideoEncoder]:
    def make(frame: Frame, not_before_ms: int) -> VideoEncoder:
        height, width = frame.image.shape[:2]
        return VideoEncoder(
            Track.CAMERA,
            width=width,
            height=height,
            fps=15,
            codec=Codec.VP9,
            timeline_origin=workshop.origin,
            quality=quality,
            not_before_ms=not_before_ms,
        )

    return make


def test_a_picture_of_another_size_brings_a_new_segment_and_no_hole(workshop: Workshop) -> None:
    told = Told()
    recorder = camera_recorder(workshop, Resized(workshop.clock, limit=90), told, renew=another(workshop))
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    assert [str(error) for error in told.errors] == ["no more made-up pictures"]
    sizes = list[tuple[float, int]]()
    for record, _ in workshop.closed:
        with av.open(io.BytesIO(b"".join(workshop.open(record).fragments)), "r") as container:
            sizes += [(frame.time, frame.width) for frame in container.decode(video=0)]
    assert [width for _, width in sizes] == [160] * 40 + [320] * 50
    assert [time for time, _ in sizes] == pytest.approx([n / 15 for n in range(90)], abs=0.0011)
    ends = [record.start_ms + record.duration_ms for record, _ in workshop.closed]
    assert [record.start_ms for record, _ in workshop.closed][1:] == ends[:-1]


def test_another_quality_begins_with_a_new_segment_and_loses_nothing(workshop: Workshop) -> None:
    told = Told()
    fewer = replace(STANDARD, camera_kbps=60)

    def watch(frame: Frame) -> None:
        if frame.seq == 60:
            # Else the first encoder might never be used.
            wait_for(lambda: any(workshop.spool.folder.glob("*.part")), "the first fragment")
            recorder.exchange()

    source = FakeVideo(workshop.clock, limit=150)
    recorder = camera_recorder(workshop, source, told, renew=another(workshop, fewer), on_frame=watch)
    recorder.start()
    told.wait()
    assert recorder.stop(DEADLINE_S)
    assert recorded_times(workshop) == pytest.approx([n / 15 for n in range(150)], abs=0.0011)
    assert len(workshop.closed) == 3
    assert told.gaps == [] or {gap.reason for gap in told.gaps} == {"the device was lost"}
    inits = {workshop.open(record).fragments[0] for record, _ in workshop.closed}
    assert len(inits) == 2  # each segment begins with the init of the encoder that wrote it


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

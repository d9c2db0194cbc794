"""A track's encoder that breaks, and one that takes the place of another: nothing is lost but what a gap says."""

import io
from collections.abc import Callable
from dataclasses import replace

import av
import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.errors import Fatal
from app.contract.incidents import Track
from app.contract.policy import Codec
from app.contract.times import Instant
from capture.encoder import VideoEncoder
from capture.fake import FakeVideo
from capture.fragments import Fragment
from capture.frames import Frame
from capture.pictures import Picture
from capture.quality import STANDARD, Quality
from capture.sources import SourceLost
from capture.track import TrackLost, TrackRecorder
from tests.unit.capture_parts import Workshop
from tests.unit.track_parts import DEADLINE_S, Told, a_workshop, camera_recorder, ms, recorded_times
from tests.xserver import wait_for

workshop = pytest.fixture(a_workshop)


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

"""One track, real threads: everything that was read is on disk; drops and full disks are told as gaps."""

import threading
from pathlib import Path

import pytest

from app.contract.incidents import Track
from capture.encoder import AudioEncoder
from capture.fake import FakeMicrophone, FakeVideo
from capture.frames import AudioChunk, Frame
from capture.spool import SpoolFull
from capture.track import TrackRecorder
from tests.unit.capture_parts import Workshop, sound_length
from tests.unit.track_parts import DEADLINE_S, GatedEncoder, Told, a_workshop, camera_recorder, ms, recorded_times

workshop = pytest.fixture(a_workshop)


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

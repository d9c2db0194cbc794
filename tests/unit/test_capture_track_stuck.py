"""A track whose encoder, disk or device never comes back: what was stored is closed, and the rest is a gap."""

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Codec
from capture.encoder import VideoEncoder
from capture.fake import FakeVideo
from capture.fragments import Fragment
from capture.frames import Frame, Gap
from capture.spool import SegmentFile, SpoolFull
from capture.track import MOMENT_S, TrackLost, TrackRecorder
from tests.unit.capture_parts import Workshop
from tests.unit.track_parts import DEADLINE_S, GatedEncoder, Told, a_workshop, camera_recorder, ms, recorded_times
from tests.xserver import wait_for

workshop = pytest.fixture(a_workshop)
STANDS_AT = 60


class Standing(VideoEncoder):
    """Encodes the first pictures and then stands until the gate opens, as SVT-AV1 has been seen to do for ever."""

    wakes_up_broken = False

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=workshop.origin)
        self.stands, self.gate = threading.Event(), threading.Event()

    def encode(self, item: Frame) -> list[Fragment]:
        if item.seq >= STANDS_AT:
            self.stands.set()
            assert self.gate.wait(DEADLINE_S)
            if self.wakes_up_broken:
                raise RuntimeError("out of order")
            return super().encode(item) + self.finish()  # what it has, at once
        return super().encode(item)


@pytest.fixture
def encoder(workshop: Workshop) -> Iterator[Standing]:
    made = Standing(workshop)
    yield made
    made.gate.set()
    for thread in threading.enumerate():
        if thread.name == "camera-seal":
            thread.join(DEADLINE_S)


class Joins:
    """Takes down how long a thread was waited for."""

    def __init__(self, thread: threading.Thread, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waited: list[float | None] = []
        self._join = thread.join
        monkeypatch.setattr(thread, "join", self)

    def __call__(self, timeout: float | None = None) -> None:
        self.waited.append(timeout)
        self._join(timeout)


def lost_recorder(workshop: Workshop, encoder: Standing, told: Told) -> TrackRecorder[Frame]:
    """Return a recorder that was lost because its encoder stands, and some seconds before it is stopped."""

    def watch(frame: Frame) -> None:
        if frame.seq == STANDS_AT + 40:
            assert encoder.stands.wait(DEADLINE_S)  # else the queue might be full before it stands

    recorder = camera_recorder(
        workshop, FakeVideo(workshop.clock), told, encoder=encoder, queue_s=8, on_frame=watch, renewals=1, stuck_s=0.05
    )
    recorder.start()
    told.wait()
    recorder._reader.join(DEADLINE_S)
    assert isinstance(workshop.clock, ManualClock)
    workshop.clock.advance(3)
    return recorder


def kept_ms(workshop: Workshop) -> int:
    return max((record.start_ms + record.duration_ms for record, _ in workshop.closed), default=0)


def uncovered(workshop: Workshop, gaps: list[Gap]) -> float:
    """Return the milliseconds between the end of what is on disk and now of which no gap speaks."""
    reached = float(kept_ms(workshop))
    for start, end in sorted((ms(workshop, gap.start), ms(workshop, gap.end)) for gap in gaps):
        if start <= reached + 1:
            reached = max(reached, end)
    return ms(workshop, workshop.clock.now()) - reached


def parts(workshop: Workshop) -> list[Path]:
    return list(workshop.spool.folder.glob("*.part"))


def test_a_track_whose_encoder_never_comes_back_is_lost_and_what_it_stored_is_closed(
    workshop: Workshop, encoder: Standing
) -> None:
    told = Told(TrackLost)
    recorder = lost_recorder(workshop, encoder, told)
    assert len(parts(workshop)) == 1, "its segment is open, and whoever writes it stands in the encoder"
    assert recorder.stop(DEADLINE_S)
    assert recorder._sealer.is_alive()
    (lost,) = told.errors
    assert "0.05 s" in str(lost)
    assert parts(workshop) == []
    assert all(record.complete for record, _ in workshop.closed)
    assert len(recorded_times(workshop)) > 30
    assert workshop.chain.counts() == {"camera": len(workshop.closed)}


def test_all_that_a_stuck_track_lacks_is_a_gap(workshop: Workshop, encoder: Standing) -> None:
    told = Told(TrackLost)
    recorder = lost_recorder(workshop, encoder, told)
    assert recorder.stop(DEADLINE_S)
    assert uncovered(workshop, told.gaps) == pytest.approx(0, abs=1)
    (gap,) = [gap for gap in told.gaps if gap.reason == "nothing was encoded or stored"]
    assert ms(workshop, gap.start) == pytest.approx(kept_ms(workshop), abs=1)
    assert gap.end == workshop.clock.now()


@pytest.mark.parametrize("is_broken", [False, True], ids=["goes on", "fails"])
@pytest.mark.parametrize("is_late", [False, True], ids=["before the files are closed", "afterwards"])
def test_an_encoder_that_comes_back_after_the_end_writes_and_tells_nothing(
    workshop: Workshop, encoder: Standing, is_broken: bool, is_late: bool
) -> None:
    told = Told(TrackLost)
    encoder.wakes_up_broken = is_broken
    recorder = lost_recorder(workshop, encoder, told)
    assert recorder.stop(DEADLINE_S)

    def state() -> tuple[object, ...]:
        files = sorted((path.name, path.stat().st_size) for path in workshop.spool.folder.glob("*.fls"))
        return files, parts(workshop), workshop.chain.head, len(workshop.closed), list(told.gaps), list(told.errors)

    before = state()
    if is_late:
        workshop.close()
    encoder.gate.set()
    recorder._sealer.join(DEADLINE_S)
    assert not recorder._sealer.is_alive()
    assert state() == before
    assert recorder.stop(DEADLINE_S), "it is closed still"


def test_an_encoder_that_is_known_to_stand_still_is_waited_for_a_moment_only(
    workshop: Workshop, encoder: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(TrackLost)
    recorder = lost_recorder(workshop, encoder, told)
    joins = Joins(recorder._sealer, monkeypatch)
    assert recorder.stop(DEADLINE_S)
    assert sum(waited or 0 for waited in joins.waited) <= MOMENT_S


def test_an_encoder_that_was_lost_and_came_back_before_the_end_is_waited_for(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, encoder = Told(TrackLost), GatedEncoder(workshop.origin)
    recorder = camera_recorder(workshop, FakeVideo(workshop.clock), told, encoder=encoder, queue_s=2, stuck_s=0.05)
    recorder.start()
    told.wait()
    encoder.gate.set()
    for _ in range(2):  # the second one is taken from the queue
        assert encoder.busy.acquire(timeout=DEADLINE_S)
    joins = Joins(recorder._sealer, monkeypatch)
    assert recorder.stop(DEADLINE_S)
    (waited,) = joins.waited
    assert waited is not None
    assert waited > MOMENT_S
    assert len(recorded_times(workshop)) >= 30, "what was queued is not lost when it does come back"


def test_a_disk_that_stands_still_keeps_its_segment_until_it_comes_back(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, stands, gate = Told(), threading.Event(), threading.Event()

    def stand(file: SegmentFile, data: bytes) -> None:
        stands.set()
        assert gate.wait(DEADLINE_S)
        append(file, data)

    append = SegmentFile.append
    monkeypatch.setattr(SegmentFile, "append", stand)
    monkeypatch.setattr("capture.track.MOMENT_S", 0.01)
    recorder = camera_recorder(workshop, FakeVideo(workshop.clock, limit=60), told)
    recorder.start()
    assert stands.wait(DEADLINE_S)
    assert not recorder.stop(0.02)
    assert len(parts(workshop)) == 1
    gate.set()
    assert recorder.stop(DEADLINE_S)
    assert parts(workshop) == []


def finish_on_a_full_disk(_file: SegmentFile) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_segment_for_whose_end_there_is_no_room_is_not_called_closed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    monkeypatch.setattr(SegmentFile, "finish", finish_on_a_full_disk)
    recorder = camera_recorder(workshop, FakeVideo(workshop.clock, limit=45), told)
    recorder.start()
    told.wait()
    assert not recorder.stop(DEADLINE_S)
    assert len(parts(workshop)) == 1
    assert isinstance(told.errors[-1], SpoolFull)


def test_nor_is_one_whose_encoder_stands_and_it_is_left_alone_from_then_on(
    workshop: Workshop, encoder: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(TrackLost)
    recorder = lost_recorder(workshop, encoder, told)
    with monkeypatch.context() as patched:
        patched.setattr(SegmentFile, "finish", finish_on_a_full_disk)
        assert not recorder.stop(DEADLINE_S)
    assert [type(error) for error in told.errors] == [TrackLost, SpoolFull]
    encoder.gate.set()
    recorder._sealer.join(DEADLINE_S)
    assert len(parts(workshop)) == 1
    assert len(told.errors) == 2


class Hanging(FakeVideo):
    """A driver that blocks at one picture and does not even come back when the track is stopped."""

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop.clock)
        self.hangs, self.plug = threading.Event(), threading.Event()

    def read(self) -> Frame:
        if self._seq == 30:
            self.hangs.set()
            assert self.plug.wait(DEADLINE_S)
        return super().read()


def test_a_device_that_never_comes_back_keeps_nothing_from_being_closed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.track.MOMENT_S", DEADLINE_S)  # for the encoder, which has nothing to do with it
    told, source = Told(), Hanging(workshop)
    recorder = camera_recorder(workshop, source, told)
    recorder.start()
    assert source.hangs.wait(DEADLINE_S)
    wait_for(lambda: not len(recorder._queue), "what was read to be encoded")
    assert isinstance(workshop.clock, ManualClock)
    workshop.clock.advance(2)
    assert recorder.stop(0.02)
    assert parts(workshop) == []
    assert uncovered(workshop, told.gaps) == pytest.approx(0, abs=1)
    stored = len(workshop.closed)
    source.plug.set()
    recorder._reader.join(DEADLINE_S)
    assert len(workshop.closed) == stored

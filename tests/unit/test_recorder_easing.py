"""A full disk or a busy computer lowers the quality of a real recording, which goes on; each step is an incident."""

from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.journal import EntryType
from app.recorder.easing import QualityWatch
from app.recorder.tracks import Tracks
from capture.fake import FakeVideo
from capture.load import Load
from capture.pressure import EASED, Strain
from capture.quality import LOWEST, Quality
from capture.track import TrackRecorder
from tests.unit.test_recorder_recording import Bench


class Unhurried:
    """The tracks of a recording, as if the machine had nothing else to do."""

    def __init__(self, tracks: Tracks) -> None:
        self._tracks = tracks
        self.ease = tracks.ease

    @property
    def quality(self) -> Quality:
        return self._tracks.quality

    def loads(self) -> list[Load]:
        return []


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("app.recorder.easing.LOOK_EVERY_S", 1e6)  # the recording's own watch leaves it to the test's
    return Bench(tmp_path)


def test_a_disk_that_fills_lowers_the_quality_says_so_and_gives_it_back(bench: Bench) -> None:
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    recording.wait_for_first_fragments()
    clock, tracks, free = ManualClock(), Unhurried(recording._tracks), [10 << 20]
    watch = QualityWatch(tracks, recording.spool, recording.incidents, clock, free_bytes=lambda: free[0])
    wanted = tracks.quality
    seen = list[tuple[int, Quality]]()
    for _ in range(200):
        change = watch.look()
        seen += [(change.after, tracks.quality)] if change else []
        if change and change.after == 2:
            free[0] = 100 << 30
        clock.advance(1)
    recording.stop()
    recording.close()
    assert seen == [(step, wanted.lowered(step)) for step in (1, 2, 1, 0)]
    changes = [body["facts"] for body in bench.journal(EntryType.INCIDENT) if body["kind"] == "quality_lowered"]
    assert [facts["why"] for facts in changes if isinstance(facts, dict)] == [Strain.DISK] * 2 + [EASED] * 2
    first = {"from": wanted.described(), "to": wanted.lowered(1).described(), "why": Strain.DISK.value, "step": "1"}
    assert changes[0] == first
    assert len(bench.records(Track.CAMERA)) >= 2  # another encoder, another segment


@pytest.mark.parametrize(("queued", "busy"), [(0.9, 1.0), (0.9, 0.0), (0.0, 1.0)])
def test_a_computer_too_busy_to_encode_lowers_the_quality_to_the_lowest_and_gets_it_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, queued: float, busy: float
) -> None:
    load = [Load(queued=queued, busy=busy)]
    monkeypatch.setattr(TrackRecorder, "load", lambda _recorder: load[0])  # all else, from the tracks on, is real
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    recording.wait_for_first_fragments()
    clock, tracks = ManualClock(), recording._tracks
    watch = QualityWatch(tracks, recording.spool, recording.incidents, clock, free_bytes=lambda: 100 << 30)
    wanted = tracks.quality
    seen = list[tuple[int, Quality]]()
    for _ in range(400):
        change = watch.look()
        seen += [(change.after, tracks.quality)] if change else []
        if change and change.after == LOWEST:
            load[0] = Load(queued=0.0, busy=0.1)
        clock.advance(1)
    recording.stop()
    recording.close()
    steps = [*range(1, LOWEST + 1), *range(LOWEST - 1, -1, -1)]
    assert seen == [(step, wanted.lowered(step)) for step in steps]
    changes = [body["facts"] for body in bench.journal(EntryType.INCIDENT) if body["kind"] == "quality_lowered"]
    assert [facts["why"] for facts in changes if isinstance(facts, dict)] == [Strain.PROCESSOR] * LOWEST + [
        EASED
    ] * LOWEST
    assert len(bench.records(Track.CAMERA)) >= 2  # another encoder, another segment

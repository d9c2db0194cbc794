"""A recording whose journal dies: it is told as a lost track is, and what was recorded is in safety all the same."""

import threading
from pathlib import Path

import pytest

from app.contract.incidents import Track
from app.contract.journal import EntryType
from app.recorder.live_detection import LiveDetection
from capture.fake import FakeVideo
from capture.segmenter import Segmenter
from capture.track import TrackLost
from tests.unit.test_recorder_recording import DEADLINE_S, Bench


class Unsealing:
    """Lets the journal fail from ``begin`` on; ``has_sealed`` says that something of it is on disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fails, self.has_sealed = threading.Event(), threading.Event()
        push = Segmenter.push_plain

        def fail(segmenter: Segmenter, data: bytes, at_ms: int) -> None:
            if segmenter.track is Track.JOURNAL and self._fails.is_set():
                raise RuntimeError("out of order")
            push(segmenter, data, at_ms)
            if segmenter.track is Track.JOURNAL:
                self.has_sealed.set()

        monkeypatch.setattr(Segmenter, "push_plain", fail)

    def begin(self) -> None:
        self._fails.set()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_dead_journal_is_told_as_a_lost_track(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    unsealing = Unsealing(monkeypatch)
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    recording.wait_for_first_fragments()
    assert unsealing.has_sealed.wait(DEADLINE_S)
    unsealing.begin()
    recording.journal.note(word="lost")
    assert bench.told.wait(DEADLINE_S)
    assert [(error.code, "journal" in str(error)) for error in bench.lost] == [("E-TRACK-LOST", True)]
    recording.stop()
    assert recording.send_rest(0, lambda _sent, _total: None) is False
    recording.close()
    assert list((bench.folder / "spool").glob("*.part")) == []
    assert bench.records(Track.CAMERA)
    assert next(bench.journal(EntryType.NOTE))["fairlock"]


def test_a_journal_that_never_works_is_no_recording(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    Unsealing(monkeypatch).begin()
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    assert bench.told.wait(DEADLINE_S)
    with pytest.raises(TrackLost, match="journal can't be written any more"):
        recording.wait_for_first_fragments()
    recording.stop()
    recording.close()
    assert bench.records(Track.CAMERA)


@pytest.mark.parametrize(
    "fault", [UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no"), KeyError("x")], ids=["no-text", "no-key"]
)
def test_whatever_one_part_raises_the_others_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(_detection: LiveDetection) -> None:
        raise fault

    recording = bench.recording(FakeVideo(bench.clock))
    monkeypatch.setattr(LiveDetection, "stop", fail)
    recording.start()
    recording.wait_for_first_fragments()
    recording.stop()
    assert recording.send_rest(0, lambda _sent, _total: None) is False
    recording.close()
    assert list((bench.folder / "spool").glob("*.part")) == []
    assert bench.entries()

"""A fault of a device lasts in the report for as long as it was seen, also when nothing but an end ended it."""

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.canonical import Json
from app.contract.journal import EntryType
from app.recorder.sources import Sources
from capture.fake import FakeMicrophone, FakeVideo
from capture.frames import AudioChunk, Frame
from capture.pictures import Picture
from capture.sources import SourceLost
from tests.unit.test_recorder_recording import Bench

DEADLINE_S = 60.0
SECONDS = 8
GRAIN = np.random.default_rng(7)


class Covered(FakeVideo):
    """Shows nothing but grain; ``seen`` is set after ``SECONDS``. One that is ``lost`` then is lost once."""

    lost = False

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.seen = threading.Event()

    def read(self) -> Frame:
        if self._seq == SECONDS * 15 and self.lost:
            self.lost = False
            raise SourceLost("unplugged")
        frame = super().read()
        if frame.seq == 2 * SECONDS * 15:
            self.seen.set()
        return frame

    def _draw(self, number: int) -> Picture:
        return (90 + GRAIN.integers(0, 6, (self.height, self.width, 3))).astype(np.uint8)


class Muted(FakeMicrophone):
    """Is heard for ten seconds and yields zeros from then on."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.seen = threading.Event()

    def read(self) -> AudioChunk:
        chunk = super().read()
        if chunk.seq == 50 * (10 + SECONDS):
            self.seen.set()
        if chunk.seq < 50 * 10:
            return chunk
        return AudioChunk(source=chunk.source, seq=chunk.seq, at=chunk.at, rate=chunk.rate, pcm=chunk.pcm * 0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, ManualClock())


def faults(bench: Bench, source: Covered | Muted) -> list[Mapping[str, Json]]:
    """Record until the source was seen long enough; return the incidents of its health."""
    sources = Sources(camera=source) if isinstance(source, Covered) else Sources(microphone=source)
    recording = bench.recording(sources)
    recording.start()
    assert source.seen.wait(DEADLINE_S)
    recording.stop()
    recording.close()
    kinds = ("source_black", "source_silent")
    return [body for body in bench.journal(EntryType.INCIDENT) if body["kind"] in kinds]


def length_ms(body: Mapping[str, Json]) -> int:
    start, end = body["start_ms"], body["end_ms"]
    assert isinstance(start, int)
    assert isinstance(end, int)
    return end - start


@pytest.mark.parametrize("source", [Covered, Muted])
def test_a_fault_that_lasts_to_the_end_ends_there(bench: Bench, source: type[Covered | Muted]) -> None:
    assert isinstance(bench.clock, ManualClock)
    began, ended = faults(bench, source(bench.clock))
    assert (began["id"], length_ms(began)) == (ended["id"], 0)
    assert length_ms(ended) >= (SECONDS - 2) * 1_000


def test_a_fault_ends_where_the_device_is_lost_and_begins_anew_when_it_is_back(bench: Bench) -> None:
    assert isinstance(bench.clock, ManualClock)
    camera = Covered(bench.clock)
    camera.lost = True
    first, lost, again, ended = faults(bench, camera)
    assert (first["id"], again["id"]) == (lost["id"], ended["id"])
    assert first["id"] != again["id"]
    assert length_ms(lost) == pytest.approx(SECONDS * 1_000, abs=100)
    assert length_ms(ended) >= (SECONDS - 1) * 1_000

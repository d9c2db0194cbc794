"""The detection threads: rates, failures, stopping. The detectors are scripted; the threads and queues are real."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.mailbox import Bounded, Latest
from capture.frames import AudioChunk, Frame
from detectors.base import Observation
from detectors.bucket import TokenBucket
from detectors.catalogue import Form, ModelCard
from detectors.pipeline import DetectionPipeline, Detectors, Look
from tests.unit.detector_models import instant, picture, sound, write

DEADLINE_S = 60.0
PHONES = [("person", 0.9), ("phone", 0.8)]


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    return write(tmp_path, b"", Form.YOLO_DENSE, (480, 640), name="scripted")[1]


class _Scripted:
    """Sees ``script`` in every picture and hears speech in every chunk; raises at the looks in ``broken``."""

    def __init__(
        self,
        name: str,
        card: ModelCard,
        script: list[tuple[str, float]] | None = None,
        broken: range | frozenset[int] = frozenset(),
    ) -> None:
        self.name, self.card, self.looks = name, card, 0
        self._script, self._broken = script or [], broken

    def detect(self, frame: Frame) -> list[Observation]:
        self.looks += 1
        if self.looks - 1 in self._broken:
            raise RuntimeError("the model fell over")
        return [Observation(detector=self.name, at=frame.at, label=label, score=score) for label, score in self._script]

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        self.looks += 1
        return [Observation(detector=self.name, at=chunk.at, label="speech", score=0.9)]


class _Run:
    """A pipeline and what it said."""

    def __init__(
        self,
        detectors: Detectors,
        *,
        frames: Latest[Frame] | None = None,
        chunks: Bounded[AudioChunk] | None = None,
        rate_permille: int = 1_000,
        on_look: Callable[[Look], None] | None = None,
    ) -> None:
        self.incidents: list[Incident] = []
        self.looks: list[Look] = []
        numbers = itertools.count(1)
        self.pipeline = DetectionPipeline(
            detectors=detectors,
            policy=Detection(rate_permille=rate_permille),
            frames=frames,
            sound=chunks,
            new_id=lambda: f"i{next(numbers)}",
            on_incident=self.incidents.append,
            on_look=on_look or self.looks.append,
        )

    def film(self, seconds: int, fps: int = 15) -> "_Run":
        for number in range(seconds * fps):
            self.pipeline.look(picture(4, 4, at=number / fps))
        return self


def test_the_bucket_allows_the_rate_and_no_burst() -> None:
    bucket = TokenBucket(1.0)
    taken = [number / 15 for number in range(15 * 10) if bucket.take(instant(number / 15))]
    assert taken == pytest.approx(list(range(10)), abs=0.07)
    assert [bucket.take(instant(at)) for at in (100, 100.01, 100.02)] == [True, False, False]


def test_a_camera_that_jitters_does_not_halve_the_rate() -> None:
    bucket = TokenBucket(1.0)
    assert all(bucket.take(instant(second - 0.003 * (second % 2))) for second in range(20))


@pytest.mark.parametrize(
    ("rate_permille", "objects_per_s", "faces_per_s"), [(200, 0.2, 0.2), (1_000, 1, 1), (4_000, 2, 4), (5_000, 2, 5)]
)
def test_each_detector_looks_at_the_policys_rate_as_far_as_it_helps(
    card: ModelCard, rate_permille: int, objects_per_s: float, faces_per_s: float
) -> None:
    objects, faces = _Scripted("objects", card), _Scripted("faces", card)
    run = _Run(Detectors(pictures=(objects, faces)), rate_permille=rate_permille).film(20)
    assert objects.looks == pytest.approx(20 * objects_per_s, abs=1)
    assert faces.looks == pytest.approx(20 * faces_per_s, abs=1)
    assert len(run.looks) == objects.looks + faces.looks


def test_a_frame_is_shown_to_the_quick_detector_first(card: ModelCard) -> None:
    pictures = (_Scripted("objects", card), _Scripted("faces", card))
    run = _Run(Detectors(pictures=pictures), rate_permille=4_000).film(2)
    assert [look.detector for look in run.looks][:4] == ["faces", "objects", "faces", "faces"]


def test_looks_become_incidents_and_stop_closes_them(card: ModelCard) -> None:
    run = _Run(Detectors(pictures=(_Scripted("objects", card, PHONES),))).film(5)
    assert [one.kind for one in run.incidents] == [IncidentKind.PHONE]
    assert run.pipeline.stop()
    opened, closed = run.incidents
    assert opened.id == closed.id
    assert closed.facts["model"] == "scripted (demonstration accuracy)"
    assert run.looks[0].counts == {"person": 1, "phone": 1}
    assert run.looks[0].milliseconds >= 0


def test_a_detector_that_keeps_failing_is_left_out_and_the_others_go_on(card: ModelCard) -> None:
    broken = _Scripted("faces", card, broken=range(100))
    run = _Run(Detectors(pictures=(broken, _Scripted("objects", card, PHONES)))).film(8)
    assert broken.looks == 3
    degraded = [one for one in run.incidents if one.kind is IncidentKind.DETECTION_DEGRADED]
    assert [one.facts["state"] for one in degraded] == ["tried again", "stopped"]
    assert len({one.id for one in degraded}) == 1
    assert degraded[0].facts["error"] == "RuntimeError: the model fell over"
    assert degraded[0].source == "faces"
    assert IncidentKind.PHONE in {one.kind for one in run.incidents}


def test_without_the_detector_of_bodies_nobody_is_absent_and_the_report_says_so(card: ModelCard) -> None:
    broken = _Scripted("objects", card, broken=range(100))
    run = _Run(Detectors(pictures=(broken, _Scripted("faces", card)))).film(30)
    run.pipeline.stop()
    assert {one.kind for one in run.incidents} == {IncidentKind.DETECTION_DEGRADED}
    told = [one.facts.get("not_judged", "") for one in run.incidents]
    assert [("nobody is in view" in words) for words in told] == [False, True]


def test_a_detector_that_fails_once_goes_on(card: ModelCard) -> None:
    shaky = _Scripted("objects", card, PHONES, broken=frozenset({1, 4}))
    run = _Run(Detectors(pictures=(shaky,))).film(8)
    assert shaky.looks == 8
    states = [one.facts["state"] for one in run.incidents if one.kind is IncidentKind.DETECTION_DEGRADED]
    assert states == ["tried again", "went on"] * 2


def test_the_threads_take_from_the_mailboxes_and_end(card: ModelCard) -> None:
    frames: Latest[Frame] = Latest()
    chunks: Bounded[AudioChunk] = Bounded(100)
    seen, both = {"objects": 0, "speech": 0}, threading.Event()

    def count(look: Look) -> None:
        seen[look.detector] += 1
        if all(seen.values()):
            both.set()

    built = Detectors(pictures=(_Scripted("objects", card, PHONES),), sounds=(_Scripted("speech", card),))
    with _Run(built, frames=frames, chunks=chunks, on_look=count).pipeline as pipeline:
        names = {thread.name for thread in threading.enumerate()}
        assert {"detect-pictures", "detect-sound"} <= names
        frames.put(picture(4, 4, at=0))
        chunks.put(sound(np.zeros(512, np.int16)))
        assert both.wait(DEADLINE_S)
    assert pipeline.stop(), "stopping twice does no harm"
    assert not {"detect-pictures", "detect-sound"} & {thread.name for thread in threading.enumerate()}


def test_closed_mailboxes_end_the_threads(card: ModelCard) -> None:
    frames: Latest[Frame] = Latest()
    run = _Run(Detectors(pictures=(_Scripted("objects", card, PHONES),)), frames=frames)
    run.pipeline.start()
    (thread,) = [one for one in threading.enumerate() if one.name == "detect-pictures"]
    frames.close()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert run.pipeline.stop()


def test_a_detector_that_hangs_does_not_hold_up_the_end(card: ModelCard) -> None:
    release, entered = threading.Event(), threading.Event()

    class Hanging(_Scripted):
        def detect(self, frame: Frame) -> list[Observation]:
            entered.set()
            release.wait(2 * DEADLINE_S)
            return super().detect(frame)

    frames: Latest[Frame] = Latest()
    run = _Run(Detectors(pictures=(Hanging("objects", card),)), frames=frames)
    run.pipeline.start()
    frames.put(picture(4, 4))
    assert entered.wait(DEADLINE_S)
    assert not run.pipeline.stop(deadline_s=0.05)
    release.set()
    assert run.pipeline.stop()


def test_nothing_to_do_starts_no_thread() -> None:
    before = set(threading.enumerate())  # of which some may end meanwhile
    with _Run(Detectors(), frames=Latest(), chunks=Bounded(1)).pipeline:
        assert set(threading.enumerate()) <= before

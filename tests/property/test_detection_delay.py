"""An incident is told within a second after its least duration, at the rates at which the product really looks.

The camera gives 10 pictures a second or more, a fifth of their distance early or late.
The detectors are scripted and see everything that is there; scheduler, pipeline and temporal layer are the product's.
Time is the time on the frames, so what a look itself takes comes on top (``tests/bench/bench_analysis.py``).
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contract.incidents import Incident, IncidentKind, Track
from app.contract.policy import Detection
from capture.frames import AudioChunk, Frame
from detectors.base import Box, Observation
from detectors.catalogue import Form, ModelCard
from detectors.pipeline import DetectionPipeline, Detectors
from detectors.scheduler import needed
from detectors.tracks import Tracks
from tests.unit.detector_models import followed, instant, sound, write

POLICY = Detection()
BODY: Box = (200, 100, 440, 480)
FACE: Box = (280, 120, 360, 220)
OTHER: Box = (10, 150, 150, 480)
OTHER_FACE: Box = (50, 160, 110, 230)
HAND: Box = (300, 360, 360, 420)
THINGS = {
    IncidentKind.PHONE: "phone",
    IncidentKind.OBJECT_IN_HAND: "in_hand",
}
LIMIT_S = 1.0

Seen = list[tuple[str, Box]]


class _Looks:
    """Sees what ``script`` says is there at the time of the frame, and follows it as the detector of objects does."""

    def __init__(self, name: str, card: ModelCard, script: Callable[[float], Seen]) -> None:
        self.name, self.card, self._script = name, card, script
        self._tracks = Tracks()

    def detect(self, frame: Frame) -> list[Observation]:
        there = self._script(frame.at.mono_ns / 1e9)
        seen = [Observation(detector=self.name, at=frame.at, label=one, score=0.9, box=box) for one, box in there]
        return followed(self._tracks, seen) if self.name == "objects" else seen


class _Hears:
    """Hears speech from ``start`` on, in windows of 32 ms."""

    name = "speech"

    def __init__(self, card: ModelCard, start: float) -> None:
        self.card, self._start = card, start

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        score = 0.9 if chunk.at.mono_ns / 1e9 >= self._start else 0.0
        return [Observation(detector=self.name, at=chunk.at, label="speech", score=score)]


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    return scripted(tmp_path_factory.mktemp("models"))


def scripted(folder: Path) -> ModelCard:
    """Return the card of detectors that have no model."""
    return write(folder, b"", Form.YOLO_DENSE, (480, 640), name="scripted")[1]


def _bodies(what: IncidentKind, there: bool) -> Seen:
    if what is IncidentKind.ABSENT:
        return [] if there else [("person", BODY)]
    extra = (THINGS[what], HAND) if what in THINGS else ("person", OTHER)
    return [("person", BODY), *([extra] if there else [])]


def _faces(what: IncidentKind, there: bool) -> Seen:
    if what is IncidentKind.ABSENT and there:
        return []
    return [("face", FACE), *([("face", OTHER_FACE)] if what is IncidentKind.SECOND_PERSON and there else [])]


def told_after(
    what: IncidentKind, start: float, fps: int, seed: int, card: ModelCard, policy: Detection = POLICY
) -> float:
    """Return how long after ``start`` the incident was told, on frames that jitter by a fifth of their distance."""
    now, told = 0.0, list[tuple[float, Incident]]()
    numbers = itertools.count(1)
    pictures = (
        _Looks("objects", card, lambda at: _bodies(what, at >= start)),
        _Looks("faces", card, lambda at: _faces(what, at >= start)),
    )
    pipeline = DetectionPipeline(
        detectors=Detectors(pictures=pictures),
        policy=policy,
        frames=None,
        sound=None,
        new_id=lambda: str(next(numbers)),
        on_incident=lambda incident: told.append((now, incident)),
    )
    shown = np.full((60, 80, 3), 60, np.uint8), np.full((60, 80, 3), 160, np.uint8)
    for seq, jitter in enumerate(np.random.default_rng(seed).uniform(-0.1, 0.1, round((start + 8) * fps))):
        now = max(0.0, (seq + jitter) / fps)
        pipeline.look(Frame(source=Track.CAMERA, seq=seq, at=instant(now), image=shown[int(now >= start)]))
    return next(at for at, incident in told if incident.kind is what) - start


@pytest.mark.parametrize(
    ("what", "least_ms"),
    [
        *[(thing, POLICY.object_ms) for thing in THINGS],
        (IncidentKind.SECOND_PERSON, POLICY.person_ms),
        (IncidentKind.ABSENT, POLICY.absent_ms),
    ],
)
@settings(max_examples=30, deadline=None)
@given(start=st.floats(0, 8), fps=st.sampled_from([10, 15, 30]), seed=st.integers(0, 1_000))
def test_what_the_camera_shows_is_told_in_time(
    card: ModelCard, what: IncidentKind, least_ms: int, start: float, fps: int, seed: int
) -> None:
    assert told_after(what, start, fps, seed, card) <= least_ms / 1000 + LIMIT_S


@pytest.mark.parametrize("what", THINGS)
@settings(max_examples=30, deadline=None)
@given(start=st.floats(2, 6), fps=st.sampled_from([10, 15, 30]), seed=st.integers(0, 1_000))
def test_a_thing_is_told_in_time_on_a_machine_that_looks_as_seldom_as_it_may(
    card: ModelCard, what: IncidentKind, start: float, fps: int, seed: int
) -> None:
    """The looks come with the frames, so one may be a frame late, and frames jitter."""
    seldom = replace(POLICY, rate_permille=math.ceil(1_000 * needed(POLICY)))
    limit_s = POLICY.object_ms / 1000 + LIMIT_S + 1.2 / fps
    assert told_after(what, start, fps, seed, card, seldom) <= limit_s


@settings(max_examples=30, deadline=None)
@given(start=st.floats(0, 3))
def test_what_the_microphone_hears_is_told_in_time(card: ModelCard, start: float) -> None:
    told: list[float] = []
    numbers, now = itertools.count(1), 0.0
    pipeline = DetectionPipeline(
        detectors=Detectors(sounds=(_Hears(card, start),)),
        policy=POLICY,
        frames=None,
        sound=None,
        new_id=lambda: str(next(numbers)),
        on_incident=lambda _incident: told.append(now),
    )
    for seq in range(220):
        now = (seq + 1) * 0.032  # a chunk is there when its last sample is
        pipeline.hear(sound(np.zeros(512, np.int16), seq=seq, at=seq * 0.032))
    assert told[0] - start <= POLICY.speech_ms / 1000 + 0.1

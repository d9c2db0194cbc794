"""What is heard over time: the page's own sound as context, loud noise apart from speech and from a dead microphone."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.contract.incidents import Incident, IncidentKind, Severity
from app.contract.policy import Detection
from capture.frames import AudioChunk
from capture.health import Fault, SoundHealth
from detectors import loudness
from detectors.base import Observation, SoundDetector
from detectors.build import build
from detectors.catalogue import Catalogue, Form
from detectors.loudness import Loudness
from detectors.page_sound import PageSound
from detectors.pipeline import DetectionPipeline, Detectors
from detectors.temporal import Temporal
from tests.unit.detector_models import instant, sound, write

RATE = 16_000
WINDOW_S = 0.032
Sound = NDArray[np.int16]


def _ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"i{next(numbers)}"


def _noise(seconds: float, dbfs: float, seed: int = 1) -> Sound:
    """White noise of an RMS level."""
    drawn = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), round(seconds * RATE))
    return np.clip(drawn, -32768, 32767).astype(np.int16)


class _Room:
    """A microphone in a room, with the page beside it."""

    def __init__(self) -> None:
        self.page = PageSound()
        self.temporal = Temporal(Detection(), _ids(), page=self.page)
        self.loudness = Loudness()
        self.health = SoundHealth()
        self.said: list[Incident] = []
        self.faults: list[Fault] = []
        self.now = 0.0
        self._seq = 0

    def speech(self, seconds: float, score: float = 0.9) -> "_Room":
        for _ in range(round(seconds / WINDOW_S)):
            heard = Observation(detector="speech", at=instant(self.now), label="speech", score=score)
            self.said += self.temporal.look(heard.at, "speech", [heard])
            self.now += WINDOW_S
        return self

    def hear(self, *parts: Sound, spoken: bool = False) -> "_Room":
        pcm = np.concatenate(parts)
        for start in range(0, len(pcm), 320):
            chunk = sound(pcm[start : start + 320], seq=self._seq, rate=RATE, at=self.now)
            self._seq += 1
            if spoken:
                heard = Observation(detector="speech", at=chunk.at, label="speech", score=0.9)
                self.temporal.look(heard.at, "speech", [heard])
            for level in self.loudness.feed(chunk):
                self.said += self.temporal.look(level.at, loudness.NAME, [level])
            finding = self.health.hear(chunk)
            self.faults += [finding.fault] if finding is not None else []
            self.now += len(chunk.pcm) / RATE
        return self

    def end(self) -> list[Incident]:
        """Return the last word on each incident."""
        self.said += self.temporal.finish()
        return list({one.id: one for one in self.said}.values())


def test_speech_while_the_page_plays_is_context_with_the_reason() -> None:
    room = _Room().speech(1.0, 0.0)
    room.page.note(instant(1.3), audible=True)  # the browser notices a little late
    (incident,) = room.speech(4.0).end()
    assert (incident.kind, incident.severity) == (IncidentKind.SPEECH, Severity.INFO)
    assert incident.facts["while"].startswith("the exam page played sound (")


def test_speech_that_the_page_hardly_covers_keeps_its_weight() -> None:
    room = _Room()
    room.page.note(instant(0), audible=True)
    room.speech(1.0)
    room.page.note(instant(1.0), audible=False)
    (incident,) = room.speech(5.0).end()
    assert incident.severity is Severity.NOTICE
    assert incident.facts["while"] == "the exam page played sound (47 of 187)"


def test_without_the_page_nothing_is_said_of_it() -> None:
    (incident,) = _Room().speech(3.0).end()
    assert incident.severity is Severity.NOTICE
    assert "while" not in incident.facts


def test_page_sound_knows_the_past_and_forgets_old_changes() -> None:
    page = PageSound()
    for second in range(200):
        page.note(instant(second), audible=second % 2 == 0)
    assert [page.during(instant(at)) for at in (0, 150.2, 151.4, 151.45, 152.2, 500)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_a_slammed_door_is_a_loud_noise_and_says_how_loud() -> None:
    room = _Room().hear(_noise(5, -55), _noise(0.5, -12), _noise(3, -55))
    (incident,) = room.end()
    assert (incident.kind, incident.severity) == (IncidentKind.LOUD_NOISE, Severity.INFO)
    assert incident.facts["level_dbfs"] == "-12"
    assert int(incident.facts["over_floor_db"]) == pytest.approx(43, abs=2)
    assert incident.start.mono_ns / 1e9 == pytest.approx(5, abs=0.1)
    assert room.faults == []


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((_noise(5, -55), _noise(0.12, -12), _noise(3, -55)), id="a click"),
        pytest.param(
            (_noise(5, -55), _noise(3, -40), _noise(3, -55)), id="typing, louder than the room and still quiet"
        ),
        pytest.param((_noise(20, -20),), id="a fan all the time"),
        pytest.param((_noise(1, -55), _noise(0.5, -12)), id="before anybody knows how loud it is here"),
    ],
)
def test_what_is_no_loud_noise(parts: tuple[Sound, ...]) -> None:
    assert _Room().hear(*parts).end() == []


def test_loud_speech_is_speech() -> None:
    room = _Room().hear(_noise(5, -55)).hear(_noise(2, -15), spoken=True).hear(_noise(2, -55))
    assert [one.kind for one in room.end()] == [IncidentKind.SPEECH]


def test_a_fan_that_is_switched_on_is_usual_after_a_while() -> None:
    (incident,) = _Room().hear(_noise(20, -60), _noise(30, -20)).end()
    assert incident.end.seconds_since(incident.start) == pytest.approx(10, abs=1.5)


def test_a_dead_microphone_is_a_fault_and_no_noise_and_neither_is_its_return() -> None:
    room = _Room().hear(_noise(5, -55), np.zeros(15 * RATE, np.int16), _noise(5, -55))
    assert room.end() == []
    assert room.faults == [Fault.SILENT, Fault.SILENT]


class _Voices:
    """A detector of speech that hears ``score`` in every chunk, or falls over."""

    name = "speech"

    def __init__(self, folder: Path, score: float | None) -> None:
        self.card, self._score = write(folder, b"", Form.SILERO, (1, 512))[1], score

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        if self._score is None:
            raise RuntimeError("the model fell over")
        return [Observation(detector=self.name, at=chunk.at, label="speech", score=self._score)]


def _heard(*listeners: SoundDetector, loud: Sound, wanted: bool = True) -> dict[IncidentKind, str]:
    """Return the last words' kinds, and what they say is not judged, after ``loud`` in a quiet room."""
    said: list[Incident] = []
    pipeline = DetectionPipeline(
        detectors=Detectors(sounds=listeners),
        policy=Detection(loud_noise=wanted),
        frames=None,
        sound=None,
        new_id=_ids(),
        on_incident=said.append,
    )
    pcm = np.concatenate([_noise(5, -55), loud, _noise(2, -55)])
    for seq, start in enumerate(range(0, len(pcm), 320)):
        pipeline.hear(sound(pcm[start : start + 320], seq=seq, rate=RATE, at=start / RATE))
    pipeline.stop()
    return {one.kind: one.facts.get("not_judged", "") for one in said}


def test_the_pipeline_listens_for_noise_only_where_the_policy_wants_it(tmp_path: Path) -> None:
    nobody = _Voices(tmp_path, 0.0)
    assert set(_heard(nobody, loud=_noise(0.5, -12))) == {IncidentKind.LOUD_NOISE}
    assert _heard(nobody, loud=_noise(0.5, -12), wanted=False) == {}


def test_where_nobody_knows_voices_nothing_is_a_loud_noise(tmp_path: Path) -> None:
    """It may be a voice: one that the candidate was allowed, or that the policy does not ask for."""
    voice = _noise(3, -20)
    assert _heard(loud=voice) == {}
    assert _heard(_Voices(tmp_path, None), loud=voice) == {IncidentKind.DETECTION_DEGRADED: "speech, loud noises"}


def test_that_no_noise_is_looked_for_without_a_model_of_speech_is_said() -> None:
    built = build(Detection(objects=False, faces=False, speech=False, loud_noise=True), {}, Catalogue(()))
    assert set(built.refused) == {"loud_noise"}
    assert "loud noises are not looked for" in str(built.refused["loud_noise"])

"""What is speech and what is not, with the real voice model: sounds made here, a synthetic voice, real recordings.

Skipped where the shared models or media are not at hand. The made sounds are near to the real ones in what matters to
such a model (rhythm, spectrum, envelope), and are no proof for every keyboard, cough or fan.
"""

import itertools
import shutil
import subprocess
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.contract.incidents import Incident, IncidentKind, Severity
from app.contract.policy import Detection
from detectors.build import Detectors
from detectors.catalogue import Task, load_catalogue
from detectors.pipeline import DetectionPipeline
from detectors.speech import load_speech_detector
from tests.unit.detector_models import instant, sound

SHARED = Path(__file__).parents[2].parent / "shared"
MODELS, MEDIA = SHARED / "models", SHARED / "media" / "speech"
RATE = 16_000
SECONDS = 12
Wave = NDArray[np.float64]

pytestmark = pytest.mark.skipif(
    not (MODELS.is_dir() and MEDIA.is_dir()), reason="the shared models and media are not beside this checkout"
)


def _drawn(seconds: float = SECONDS) -> Wave:
    return np.random.default_rng(7).normal(0, 1, round(seconds * RATE))


def _low(noise: Wave, width: int) -> Wave:
    """Noise without its high tones: a running mean."""
    return np.convolve(noise, np.ones(width) / width, "same")


def _strokes(times: list[float], stroke: Callable[[int], Wave]) -> Wave:
    out = np.zeros(SECONDS * RATE)
    for number, at in enumerate(times):
        one, start = stroke(number), round(at * RATE)
        out[start : start + len(one)] += one[: len(out) - start]
    return out


def _typing() -> Wave:
    """Seven keys a second, each a click and the duller sound of the key's bottom 25 ms later."""
    rng = np.random.default_rng(3)
    decay = np.exp(-np.arange(800) / 60)

    def key(number: int) -> Wave:
        dull = np.concatenate([np.zeros(400), _low(rng.normal(0, 1, 400), 4) * decay[:400]])
        return np.asarray((rng.normal(0, 1, 800) * decay + dull) * rng.uniform(0.5, 1))

    return _strokes(list(np.cumsum(rng.uniform(0.08, 0.2, 80)).clip(0, SECONDS - 0.1)), key)


def _coughs() -> Wave:
    """A cough each two seconds: a burst of 60 ms, a rough voice of 200 ms, a breath."""

    def cough(number: int) -> Wave:
        noise = np.random.default_rng(number).normal(0, 1, round(0.4 * RATE))
        shape = np.interp(np.arange(len(noise)) / RATE, [0, 0.01, 0.06, 0.1, 0.3, 0.4], [0, 1, 0.4, 0.5, 0.1, 0])
        return np.asarray(_low(noise, 3) * shape)

    return _strokes([0.5 + 2 * number for number in range(5)], cough)


def _fan() -> Wave:
    times = np.arange(SECONDS * RATE) / RATE
    blades = 1 + 0.3 * np.sin(2 * np.pi * 23 * times)
    return np.asarray(_low(_drawn(), 12) * blades + 0.05 * np.sin(2 * np.pi * 120 * times))


def _music() -> Wave:
    """A plucked tune with a bass: decaying harmonics."""

    def note(number: int) -> Wave:
        times = np.arange(round(0.6 * RATE)) / RATE
        tone = [220, 261.6, 329.6, 392, 440, 392, 329.6, 261.6][number % 8]
        parts = [np.sin(2 * np.pi * tone * k * times) * np.exp(-times * 4 * k) / k for k in range(1, 7)]
        return np.asarray(sum(parts) + 0.5 * np.sin(np.pi * tone * times) * np.exp(-times * 3))

    return _strokes([0.3 * number for number in range(36)], note)


def _hum() -> Wave:
    times = np.arange(SECONDS * RATE) / RATE
    return np.asarray(sum(np.sin(2 * np.pi * 50 * k * times) / k for k in (1, 2, 3, 5, 7)) + 0.02 * _drawn())


def _chair() -> Wave:
    """Squeaks: short tones that glide."""

    def squeak(number: int) -> Wave:
        times = np.arange(round(0.25 * RATE)) / RATE
        glide = np.sin(2 * np.pi * (700 + 200 * number) * times * (1 + 0.6 * times))
        return np.asarray(glide * np.hanning(len(times)))

    return _strokes([1.5 * number for number in range(7)], squeak)


def _at_level(wave_: Wave, dbfs: float) -> NDArray[np.int16]:
    scaled = wave_ / np.sqrt(np.mean(np.square(wave_))) * 32768 * 10 ** (dbfs / 20)
    return np.asarray(np.clip(scaled + _drawn(len(wave_) / RATE) * 20, -32768, 32767), np.int16)


def _heard(pcm: NDArray[np.int16], rate: int = RATE, page: tuple[float, float] | None = None) -> list[Incident]:
    """Return the last word on each incident; ``page`` is from when to when the exam page played sound."""
    card = load_catalogue().for_task(Task.SPEECH)[0]
    said: list[Incident] = []
    numbers = itertools.count(1)
    pipeline = DetectionPipeline(
        detectors=Detectors(sounds=(load_speech_detector(MODELS / card.file, card),)),
        policy=Detection(),
        frames=None,
        sound=None,
        new_id=lambda: str(next(numbers)),
        on_incident=said.append,
    )
    changes = [] if page is None else [(page[0], True), (page[1], False)]
    step = rate // 50
    for seq, start in enumerate(range(0, len(pcm), step)):
        at = start / rate
        while changes and changes[0][0] <= at:
            when, audible = changes.pop(0)
            pipeline.page_sound(instant(when), audible=audible)
        pipeline.hear(sound(pcm[start : start + step], seq=seq, rate=rate, at=at))
    pipeline.stop()
    return list({one.id: one for one in said}.values())


@cache
def _spoken() -> tuple[int, NDArray[np.int16]]:
    """A voice that reads two sentences, some 6 s."""
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        pytest.skip("espeak-ng is not installed")
    words = "The answer to question three is the variance of the sample. Now look at the second table on this page."
    done = subprocess.run([espeak, "--stdout", "-v", "en", words], capture_output=True, check=True)
    start = done.stdout.index(b"data") + 8
    return 22_050, np.frombuffer(done.stdout[start : len(done.stdout) // 2 * 2], np.int16)


def _real(name: str) -> tuple[int, NDArray[np.int16]]:
    with wave.open(str(MEDIA / name)) as file:
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16)


@pytest.mark.parametrize("dbfs", [-20, -35])
@pytest.mark.parametrize("make", [_typing, _coughs, _fan, _music, _hum, _chair, _drawn])
def test_what_a_room_sounds_like_is_not_speech(make: Callable[[], Wave], dbfs: float) -> None:
    assert _heard(_at_level(make(), dbfs)) == []


def test_a_voice_is_speech_also_while_somebody_types() -> None:
    rate, pcm = _spoken()
    (incident,) = _heard(pcm, rate)
    assert (incident.kind, incident.severity) == (IncidentKind.SPEECH, Severity.NOTICE)
    assert incident.facts["model"].startswith("silero")
    at_16 = np.interp(np.arange(0, len(pcm), rate / RATE), np.arange(len(pcm)), pcm)[: SECONDS * RATE]
    both = _at_level(at_16, -25).astype(np.int32) + _at_level(_typing(), -32)[: len(at_16)]
    assert [one.kind for one in _heard(np.clip(both, -32768, 32767).astype(np.int16))] == [IncidentKind.SPEECH]


def test_what_the_exam_page_reads_aloud_is_context() -> None:
    rate, pcm = _spoken()
    (incident,) = _heard(pcm, rate, page=(0.1, len(pcm) / rate))
    assert incident.severity is Severity.INFO
    assert incident.facts["while"].startswith("the exam page played sound")


@pytest.mark.parametrize("name", ["silero_test.wav", "sample.wav"])
def test_real_speech_is_speech(name: str) -> None:
    rate, pcm = _real(name)
    assert {one.kind for one in _heard(pcm[: 20 * rate], rate)} == {IncidentKind.SPEECH}


@pytest.mark.parametrize("name", ["sb_noise1.wav", "sb_noise2.wav", "empty.wav"])
def test_real_noise_is_not(name: str) -> None:
    rate, pcm = _real(name)
    assert _heard(pcm[: 30 * rate], rate) == []

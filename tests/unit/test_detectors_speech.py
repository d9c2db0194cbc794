"""Sound: the change of rate, and how Silero is fed (windows, context, state, gaps)."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.catalogue import Form
from detectors.resample import Resampler
from detectors.speech import SpeechDetector, load_speech_detector
from tests.unit.detector_models import instant, listener, sound, write

RATES = (8_000, 22_050, 44_100, 48_000)


def _tone(hertz: float, rate: int, seconds: float = 0.5) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def _loudness(samples: NDArray[np.float32]) -> float:
    """RMS of the middle, in which the filter is filled."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(np.sqrt(np.mean(middle**2)))


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_in_the_band_of_speech_keeps_its_loudness_and_pitch(rate: int) -> None:
    out = Resampler(rate, 16_000).feed(_tone(1_000, rate))
    assert len(out) == pytest.approx(8_000, abs=40)
    assert _loudness(out) == pytest.approx(np.sqrt(0.5), rel=0.01)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert np.argmax(spectrum) * 16_000 / len(out) == pytest.approx(1_000, abs=5)


@pytest.mark.parametrize("hertz", [8_500, 11_000, 15_000, 20_000])
def test_what_is_above_the_new_half_rate_does_not_fold_down(hertz: float) -> None:
    out = Resampler(48_000, 16_000).feed(_tone(hertz, 48_000))
    assert _loudness(out) < 0.002  # 50 dB down


@given(st.sampled_from(RATES), st.lists(st.integers(0, 700), max_size=12))
@settings(max_examples=50, deadline=None)
def test_chunking_does_not_change_the_sound(rate: int, lengths: list[int]) -> None:
    samples = np.random.default_rng(1).normal(size=sum(lengths)).astype(np.float32)
    whole = Resampler(rate, 16_000).feed(samples)
    piecewise = Resampler(rate, 16_000)
    parts = [piecewise.feed(part) for part in np.split(samples, np.cumsum(lengths)[:-1])] if lengths else []
    np.testing.assert_allclose(np.concatenate([np.empty(0, np.float32), *parts]), whole, atol=1e-6)


def test_the_same_rate_passes_through() -> None:
    samples = _tone(440, 16_000)
    assert Resampler(16_000, 16_000).feed(samples) is samples


def _detector(folder: Path, *, watch: str) -> SpeechDetector:
    return load_speech_detector(*write(folder, listener(watch=watch), Form.SILERO, (1, 512)))


def _steps(levels: list[int]) -> NDArray[np.int16]:
    """One window of 512 samples at each level, of 100ths of full scale."""
    return np.repeat(np.array(levels) * 32768 // 100, 512).astype(np.int16)


def test_one_observation_for_each_full_window(tmp_path: Path) -> None:
    detector = _detector(tmp_path, watch="window")
    pcm = _steps([10, 20, 30])
    seen = detector.feed(sound(pcm[:700], at=5)) + detector.feed(sound(pcm[700:], seq=1, at=5 + 700 / 16_000))
    assert [round(one.score, 2) for one in seen] == [0.1, 0.2, 0.3]
    assert [one.at for one in seen] == [instant(5), instant(5.032), instant(5.064)]
    assert {one.label for one in seen} == {"speech"}
    assert detector.feed(sound(np.zeros(0, np.int16), seq=2)) == []


def test_the_last_64_samples_go_in_front_of_the_next_window(tmp_path: Path) -> None:
    """Without them Silero answers 0.00 to real speech and nothing else shows it."""
    seen = _detector(tmp_path, watch="context").feed(sound(_steps([10, 20, 30])))
    assert [round(one.score, 2) for one in seen] == [0.0, 0.1, 0.2]


def test_state_is_carried_and_forgotten_at_a_gap(tmp_path: Path) -> None:
    detector = _detector(tmp_path, watch="state")
    scores = [round(detector.feed(sound(_steps([10]), seq=seq))[0].score, 2) for seq in (0, 1, 2, 4, 5)]
    assert scores == [0.0, 0.01, 0.02, 0.0, 0.01]


def test_a_new_rate_starts_afresh(tmp_path: Path) -> None:
    detector = _detector(tmp_path, watch="state")
    detector.feed(sound(_steps([10, 10])))
    assert detector.feed(sound(np.zeros(4_800, np.int16), seq=1, rate=48_000))[0].score == 0


def test_48_khz_gives_the_same_windows(tmp_path: Path) -> None:
    detector = _detector(tmp_path, watch="window")
    pcm = np.full(48_000, 32768 // 4, np.int16)
    scores = [one.score for seq in range(50) for one in detector.feed(sound(pcm[:960], seq=seq, rate=48_000))]
    assert len(scores) == 31
    assert scores[1:] == pytest.approx([0.25] * 30, abs=0.001)

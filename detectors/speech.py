"""Is somebody talking: Silero's voice activity model on consecutive windows of 32 ms.

Runs in the listening thread. It says "speech", never whose or what: a television, a reader in the room and the
candidate's own voice look alike. No sound is kept beyond the 64 samples that the model wants again.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.contract.times import Instant
from capture.frames import AudioChunk
from detectors.base import Observation
from detectors.catalogue import ModelCard
from detectors.model import Array, Model, load
from detectors.resample import Resampler

RATE = 16_000
WINDOW = 512
CONTEXT = 64
"""Samples of the window before, put in front. Without them the model silently answers 0.00 to real speech."""
STATE = (2, 1, 128)


class SpeechDetector:
    """Silero VAD behind ``SoundDetector``. One observation per window, each with the probability of speech."""

    name = "speech"
    _state: NDArray[np.float32]
    _context: NDArray[np.float32]
    _pending: NDArray[np.float32]

    def __init__(self, model: Model) -> None:
        self._model = model
        self._resampler = Resampler(RATE, RATE)
        self._rate = 0
        self._next_seq: int | None = None
        self._reset()

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        return self._model.card

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        """Take the next chunk (any rate, any length). A gap in ``seq`` or a new rate starts afresh."""
        if chunk.rate != self._rate or chunk.seq != self._next_seq:
            self._rate = chunk.rate
            self._resampler = Resampler(chunk.rate, RATE)
            self._reset()
        self._next_seq = chunk.seq + 1
        heard = self._resampler.feed(np.multiply(chunk.pcm, 1 / 32768, dtype=np.float32))
        before = len(self._pending)
        self._pending = np.concatenate([self._pending, heard])
        seen = []
        for index in range(len(self._pending) // WINDOW):
            start = index * WINDOW
            score = self._judge(self._pending[start : start + WINDOW])
            at = _after(chunk.at, (start - before) / RATE)
            seen.append(Observation(detector=self.name, at=at, label="speech", score=score))
        self._pending = self._pending[len(seen) * WINDOW :]
        return seen

    def _judge(self, window: NDArray[np.float32]) -> float:
        """Return the probability of speech in one window and carry the model's state on."""
        score, self._state = self._model.run(_feed(np.concatenate([self._context, window]), self._state))
        self._context = window[-CONTEXT:]
        return float(score[0, 0])

    def _reset(self) -> None:
        self._state = np.zeros(STATE, np.float32)
        self._context = np.zeros(CONTEXT, np.float32)
        self._pending = np.empty(0, np.float32)


def load_speech_detector(path: Path, card: ModelCard) -> SpeechDetector:
    """Check and load ``path``. Raises ``UserFacing`` (E-MODEL-…)."""
    silence = _feed(np.zeros(CONTEXT + WINDOW, np.float32), np.zeros(STATE, np.float32))
    return SpeechDetector(load(path, card, probe=silence))


def _feed(samples: NDArray[np.float32], state: NDArray[np.float32]) -> Mapping[str, Array]:
    return {"input": samples[None], "state": state, "sr": np.array(RATE, np.int64)}


def _after(at: Instant, seconds: float) -> Instant:
    return Instant(mono_ns=at.mono_ns + round(seconds * 1e9), utc_ms=at.utc_ms + round(seconds * 1e3))

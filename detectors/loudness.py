"""How loud it is, and how loud it usually is here: the level of each tenth of a second over a running floor.

Runs in the listening thread. Pure arithmetic without a model; it keeps levels and no sound. Whether the microphone
hears anything at all is ``capture.health``'s question.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from app.contract.times import Instant
from capture.frames import AudioChunk
from detectors.base import Observation

NAME = "loudness"
BLOCK_S = 0.1
FLOOR_S = 20.0
"""The floor is the median of so much sound: a fan that is switched on is no noise any more after half of it."""
LEAST_S = 2.0
"""Nothing is said before so much was heard."""
QUIETEST = -90.0
"""Levels in dB relative to full scale (RMS); digital silence counts as this."""


class Loudness:
    """One observation ``level`` per tenth of a second; ``values`` hold ``dbfs`` and ``over_floor`` in dB."""

    def __init__(self) -> None:
        self._rate = 0
        self._pending = np.empty(0, np.int16)
        self._levels: deque[float] = deque(maxlen=round(FLOOR_S / BLOCK_S))

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        """Take the next chunk (any rate, any length)."""
        if chunk.rate != self._rate:
            self._rate, self._pending = chunk.rate, np.empty(0, np.int16)
        before = len(self._pending)
        self._pending = np.concatenate([self._pending, chunk.pcm])
        size = round(BLOCK_S * chunk.rate)
        heard = []
        for start in range(0, len(self._pending) - size + 1, size):
            at = _after(chunk.at, (start - before) / chunk.rate)
            heard += self._judge(at, level(self._pending[start : start + size]))
        self._pending = self._pending[len(self._pending) // size * size :]
        return heard

    def _judge(self, at: Instant, dbfs: float) -> list[Observation]:
        enough = len(self._levels) >= LEAST_S / BLOCK_S
        floor = float(np.median(self._levels)) if enough else dbfs
        self._levels.append(dbfs)
        if not enough:
            return []
        values = {"dbfs": dbfs, "over_floor": dbfs - floor}
        return [Observation(detector=NAME, at=at, label="level", score=1 + dbfs / -QUIETEST, values=values)]


def level(pcm: NDArray[np.int16]) -> float:
    """Return the RMS level of some samples in dB relative to full scale."""
    rms = float(np.sqrt(np.mean(np.square(pcm.astype(np.float32)))))
    return max(QUIETEST, 20 * float(np.log10(rms / 32768))) if rms > 0 else QUIETEST


def _after(at: Instant, seconds: float) -> Instant:
    return Instant(mono_ns=at.mono_ns + round(seconds * 1e9), utc_ms=at.utc_ms + round(seconds * 1e3))

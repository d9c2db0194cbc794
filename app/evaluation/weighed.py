"""Detectors whose looks and listening are weighed: what they cost in CPU time, and whether they failed.

Runs in the caller's thread; each has a real detector inside and changes nothing that it says.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from capture.frames import AudioChunk, Frame
from detectors.base import Observation, PictureDetector, SoundDetector
from detectors.catalogue import ModelCard


@dataclass(slots=True)
class Cost:
    """CPU time of one detector: looks, seconds of sound heard, and milliseconds."""

    looks: int = 0
    heard_s: float = 0.0
    milliseconds: float = 0.0


class WeighedPicture:
    """A detector whose looks are weighed; ``first`` is what it saw first."""

    def __init__(self, detector: PictureDetector, cost: Cost) -> None:
        self._detector = detector
        self._cost = cost
        self.first: Sequence[Observation] | None = None
        self.failure: Exception | None = None

    @property
    def name(self) -> str:
        """The detector's."""
        return self._detector.name

    @property
    def card(self) -> ModelCard:
        """The detector's."""
        return self._detector.card

    def detect(self, frame: Frame) -> list[Observation]:
        """Look, and weigh the look."""
        began = time.thread_time()
        try:
            seen = self._detector.detect(frame)
        except Exception as error:
            self.failure = error
            raise
        self._cost.milliseconds += (time.thread_time() - began) * 1e3
        self._cost.looks += 1
        self.first = seen if self.first is None else self.first
        return seen


class WeighedSound:
    """A detector whose listening is weighed."""

    def __init__(self, detector: SoundDetector, cost: Cost) -> None:
        self._detector = detector
        self._cost = cost
        self.failure: Exception | None = None

    @property
    def name(self) -> str:
        """The detector's."""
        return self._detector.name

    @property
    def card(self) -> ModelCard:
        """The detector's."""
        return self._detector.card

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        """Listen, and weigh it."""
        began = time.thread_time()
        try:
            heard = self._detector.feed(chunk)
        except Exception as error:
            self.failure = error
            raise
        self._cost.milliseconds += (time.thread_time() - began) * 1e3
        self._cost.heard_s += len(chunk.pcm) / chunk.rate
        return heard

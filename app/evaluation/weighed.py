"""Detectors whose looks and listening are weighed: what they cost in CPU time, and whether they failed.

Runs in the caller's thread; each has a real detector inside and changes nothing that it says.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from capture.frames import AudioChunk, Frame
from detectors.base import Observation, PictureDetector, SoundDetector
from detectors.catalogue import ModelCard


@dataclass(slots=True)
class Cost:
    """CPU time of one detector: looks, seconds of sound heard, and milliseconds."""

    looks: int = 0
    heard_s: float = 0.0
    milliseconds: float = 0.0


D = TypeVar("D", bound=PictureDetector | SoundDetector)


class _Weighed(Generic[D]):
    """A detector, what it costs, and how it failed."""

    def __init__(self, detector: D, cost: Cost) -> None:
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

    @contextmanager
    def _weighing(self) -> Iterator[None]:
        began = time.thread_time()
        try:
            yield
        except Exception as error:
            self.failure = error
            raise
        self._cost.milliseconds += (time.thread_time() - began) * 1e3


class WeighedPicture(_Weighed[PictureDetector]):
    """A detector whose looks are weighed; ``first`` is what it saw first."""

    first: Sequence[Observation] | None = None

    def detect(self, frame: Frame) -> list[Observation]:
        """Look, and weigh the look."""
        with self._weighing():
            seen = self._detector.detect(frame)
        self._cost.looks += 1
        self.first = seen if self.first is None else self.first
        return seen


class WeighedSound(_Weighed[SoundDetector]):
    """A detector whose listening is weighed."""

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        """Listen, and weigh it."""
        with self._weighing():
            heard = self._detector.feed(chunk)
        self._cost.heard_s += len(chunk.pcm) / chunk.rate
        return heard

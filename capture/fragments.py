"""Fragments: what encoders yield, segments hold and live viewing shows. Pure."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.contract.incidents import Track
from app.contract.times import Instant
from capture import fmp4

T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One moof and mdat. Times are milliseconds on the session's timeline.

    ``opens_segment`` says that a decoder can start here.
    """

    track: Track
    data: bytes
    start_ms: int
    duration_ms: int
    opens_segment: bool


class Encoder(Protocol[T_contra]):
    """What turns a track's pictures or sound into fragments."""

    init: bytes
    mime: str

    def fits(self, item: T_contra) -> bool:
        """Say whether it can take ``item``; a picture of another size needs another encoder."""
        ...

    def encode(self, item: T_contra) -> list[Fragment]:
        """Take the next picture or chunk; return the fragments that are done."""
        ...

    def fill(self, until: Instant) -> list[Fragment]:
        """Stand in for what did not come until ``until``; before the first item nothing."""
        ...

    def finish(self) -> list[Fragment]:
        """Return what is left. Nothing may follow."""
        ...


class Cutter:
    """Collects samples and cuts them into fragments of ``limit`` samples, a new one at each key frame.

    ``longest`` bounds a fragment's duration too, in the track's scale, where samples are of different lengths.
    """

    def __init__(self, track: Track, scale: int, limit: int, *, longest: int | None = None) -> None:
        self._track, self._scale, self._limit, self._longest = track, scale, limit, longest
        self._samples: list[fmp4.Sample] = []
        self._number = 0

    @property
    def room(self) -> int:
        """Return how many samples are missing from a whole fragment."""
        return self._limit - len(self._samples)

    def add(self, sample: fmp4.Sample) -> list[Fragment]:
        """Take a sample; return the fragments that are whole now."""
        if self._samples and (self._splits_before(sample) or len(self._samples) >= self._limit):
            done = self.cut()
        else:
            done = self.cut_before(sample.start + sample.duration)
        self._samples.append(sample)
        return done + (self.cut() if len(self._samples) >= self._limit or self._is_long(sample) else [])

    def cut_before(self, end: int) -> list[Fragment]:
        """Return what was collected, if with what is shown until ``end`` it would last longer than a fragment may."""
        is_due = self._samples and self._longest is not None and end - self._samples[0].start > self._longest
        return self.cut() if is_due else []

    def cut(self) -> list[Fragment]:
        """Return what was collected, as one fragment or none."""
        samples, self._samples = self._samples, []
        if not samples:
            return []
        self._number += 1
        end = samples[-1].start + samples[-1].duration
        start_ms, end_ms = (round(t * 1000 / self._scale) for t in (samples[0].start, end))
        return [
            Fragment(
                track=self._track,
                data=fmp4.fragment(self._number, samples),
                start_ms=start_ms,
                duration_ms=end_ms - start_ms,
                opens_segment=samples[0].key,
            )
        ]

    def _is_long(self, last: fmp4.Sample) -> bool:
        return self._longest is not None and last.start + last.duration - self._samples[0].start >= self._longest

    def _splits_before(self, sample: fmp4.Sample) -> bool:
        last = self._samples[-1]
        opens = sample.key and self._track is not Track.MICROPHONE
        return opens or sample.start != last.start + last.duration

"""Whether a source shows and hears anything: black, covered or frozen pictures, a black screen, a silent microphone.

Pure: fed with what the sources yield, from one thread. Looks at one pixel in 256, so that it costs next to nothing.
Says what it sees, never why: a dark room and a closed shutter look alike. What silence is, is in ``capture.silence``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from app.contract.times import Instant
from capture.frames import AudioChunk, Frame
from capture.pictures import Picture
from capture.silence import GATED_S, Silence

_STRIDE = 16
_BLACK_MEAN = 16.0
_EVEN_SPREAD = 6.0
CERTAIN_S = 2.5
"""A fault that lasted this long is told; what is over sooner was nothing."""


class Fault(StrEnum):
    """What can be wrong with a source that still yields something."""

    BLACK = "black"
    COVERED = "covered"
    FROZEN = "frozen"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fault that began (``end`` is ``None``) or is over. ``facts`` are short texts for the report."""

    fault: Fault
    start: Instant
    end: Instant | None
    facts: Mapping[str, str] = field(default_factory=dict)


class _Lasting:
    """Turns a fault seen now and then into one that began and ended: ``after_s`` to begin, ``clear_s`` to end."""

    def __init__(self, after_s: float, clear_s: float) -> None:
        self.after_s, self._clear_s = after_s, clear_s
        self._fault: Fault | None = None
        self._facts: Mapping[str, str] = {}
        self._since: Instant | None = None
        self._good_since: Instant | None = None
        self._told = False

    def see(self, fault: Fault | None, at: Instant, facts: Mapping[str, str]) -> Finding | None:
        if fault is not None and fault is self._fault:
            return self._goes_on(at, facts)
        if self._told:
            return self._maybe_over(at)
        self._fault, self._since, self._facts, self._good_since = fault, at, facts, None
        return None

    def _goes_on(self, at: Instant, facts: Mapping[str, str]) -> Finding | None:
        self._good_since = None
        if self._told or self._since is None or self._fault is None or at.seconds_since(self._since) < self.after_s:
            return None
        self._told, self._facts = True, facts
        return Finding(fault=self._fault, start=self._since, end=None, facts=facts)

    def _maybe_over(self, at: Instant) -> Finding | None:
        self._good_since = self._good_since or at
        if self._since is None or self._fault is None or at.seconds_since(self._good_since) < self._clear_s:
            return None
        over = Finding(fault=self._fault, start=self._since, end=self._good_since, facts=self._facts)
        self._fault, self._since, self._good_since, self._told = None, None, None, False
        return over


class PictureHealth:
    """Watches one camera.

    A picture is frozen when not one of all its bytes changes: the noise of a real sensor changes thousands with each
    picture, in the dark and after a camera's own smoothing too. All are compared only where the looked-at ones agree.
    """

    def __init__(self, *, after_s: float = CERTAIN_S, clear_s: float = 1.0) -> None:
        self._dark = _Lasting(after_s, clear_s)
        self._frozen = _Lasting(after_s, clear_s)
        self._last: Picture | None = None

    def look(self, frame: Frame) -> Finding | None:
        """Take the next picture; return what began or ended with it."""
        sample = frame.image[::_STRIDE, ::_STRIDE]
        mean, spread = float(sample.mean()), float(sample.std())
        same = self._last is not None and _are_equal(frame.image, self._last)
        self._last = frame.image
        facts = {"brightness": f"{mean:.0f}", "contrast": f"{spread:.0f}"}
        dark = self._dark.see(_darkness(mean, spread), frame.at, facts)
        # A closed shutter often gives exact zeros; that is black, not frozen.
        still = Fault.FROZEN if same and _darkness(mean, spread) is None else None
        frozen = self._frozen.see(still, frame.at, facts)
        return dark or frozen


class ScreenHealth:
    """Watches the screen: whether it is black. That it stands still or is all of one colour is nothing strange."""

    def __init__(self, *, after_s: float = CERTAIN_S, clear_s: float = 1.0) -> None:
        self._dark = _Lasting(after_s, clear_s)

    def look(self, frame: Frame) -> Finding | None:
        """Take the next picture; return what began or ended with it."""
        sample = frame.image[::_STRIDE, ::_STRIDE]
        mean, spread = float(sample.mean()), float(sample.std())
        fault = Fault.BLACK if _darkness(mean, spread) is Fault.BLACK else None
        return self._dark.see(fault, frame.at, {"brightness": f"{mean:.0f}", "contrast": f"{spread:.0f}"})


class SoundHealth:
    """Watches the microphone; ``capture.silence`` says what is silence in it, and for how long is too long."""

    def __init__(self, *, clear_s: float = 0.2) -> None:
        self._silence = Silence()
        self._lasting = _Lasting(CERTAIN_S, clear_s)

    def hear(self, chunk: AudioChunk) -> Finding | None:
        """Take the next chunk; return what began or ended with it."""
        level = level_dbfs(chunk)
        is_silent = self._silence.hear(level, chunk.at)
        self._lasting.after_s = GATED_S if self._silence.is_gated else CERTAIN_S
        facts = {"level_dbfs": f"{level:.0f}", **self._silence.facts()}
        return self._lasting.see(Fault.SILENT if is_silent else None, chunk.at, facts)


def is_black(image: Picture) -> bool:
    """Say whether a picture shows nothing: the check before the exam (``refusals.camera_black``)."""
    sample = image[::_STRIDE, ::_STRIDE]
    return _darkness(float(sample.mean()), float(sample.std())) is not None


def level_dbfs(chunk: AudioChunk) -> float:
    """Return the RMS level in dB relative to full scale, -120 for digital silence."""
    rms = float(np.sqrt(np.mean(np.square(chunk.pcm.astype(np.float32))))) if len(chunk.pcm) else 0.0
    return max(-120.0, 20 * float(np.log10(rms / 32768))) if rms > 0 else -120.0


def _darkness(mean: float, spread: float) -> Fault | None:
    if spread >= _EVEN_SPREAD:
        return None
    return Fault.BLACK if mean < _BLACK_MEAN else Fault.COVERED


def _are_equal(image: Picture, last: Picture) -> bool:
    if image is last:
        return True
    sample, before = image[::_STRIDE, ::_STRIDE], last[::_STRIDE, ::_STRIDE]
    return np.array_equal(sample, before) and np.array_equal(image, last)

"""What sources yield: frames, audio, and gaps where there is neither."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.contract.incidents import Track
from app.contract.times import Instant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture. ``image`` is H×W×3 uint8 in BGR order, read-only; ``at`` is when it was captured.

    ``unchanged`` says that the pixels equal the frame before (screen grabs), so that nobody converts them again.
    """

    source: Track
    seq: int
    at: Instant
    image: NDArray[np.uint8]
    unchanged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AudioChunk:
    """Sound: mono int16 samples at ``rate`` hertz; ``at`` is the capture time of the first sample."""

    source: Track
    seq: int
    at: Instant
    rate: int
    pcm: NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without evidence on a track, and why."""

    source: Track
    start: Instant
    end: Instant
    reason: str

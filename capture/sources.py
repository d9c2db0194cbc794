"""What a source of evidence is: open it, read it at its own rate, close it.

``open``, ``read`` and ``close`` are called from one thread at a time, which need not be the same one. A source
never queues: who reads too slowly misses pictures (a camera's driver drops them), and sound that a source had to
drop shows as a jump in ``seq``.
"""

from enum import StrEnum
from typing import Protocol

from app.contract.errors import Retryable
from app.contract.incidents import Track
from capture.frames import AudioChunk, Frame

AUDIO_RATE = 48_000
"""Samples per second of every audio source; Opus knows no 44,100."""

AUDIO_CHUNK = 960
"""Samples per chunk: 20 ms."""

AUDIO_BLOCK = 5 * AUDIO_CHUNK
"""Samples that a sound card hands over at a time: whoever waits for them wakes ten times a second and not fifty."""


class Origin(StrEnum):
    """Where pictures and sound come from. Anything but ``DEVICE`` is said on screen and in the report."""

    DEVICE = "device"
    SAMPLE = "sample"


class SourceLost(Retryable):
    """A source that worked does not any more: unplugged, taken by another program, or its display is gone."""

    code = "E-SOURCE-LOST"


class Source(Protocol):
    """What every source has; ``VideoSource`` and ``AudioSource`` say what it yields."""

    @property
    def track(self) -> Track:
        """Return the track that its pictures or sound belong to."""
        ...

    @property
    def origin(self) -> Origin:
        """Return where its pictures or sound come from."""
        ...

    @property
    def name(self) -> str:
        """Return a name that a person recognises."""
        ...

    def open(self) -> None:
        """Claim the device; raises ``UserFacing`` with advice. A closed source can be opened again."""
        ...

    def close(self) -> None:
        """Let go of the device; twice is fine."""
        ...


class VideoSource(Source, Protocol):
    """Pictures of one size at one rate."""

    @property
    def width(self) -> int:
        """Return the pictures' width in pixels; known once open."""
        ...

    @property
    def height(self) -> int:
        """Return the pictures' height in pixels; known once open."""
        ...

    def read(self) -> Frame:
        """Block until the next picture at the source's rate; raises ``SourceLost``. ``seq`` never goes back."""
        ...


class AudioSource(Source, Protocol):
    """Sound: mono, ``AUDIO_RATE``, in chunks of ``AUDIO_CHUNK`` samples, on ``Track.MICROPHONE``."""

    def read(self) -> AudioChunk:
        """Block until the next chunk; raises ``SourceLost``. A jump in ``seq`` counts chunks that were lost."""
        ...

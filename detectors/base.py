"""What every detector is: something that looks at a picture or hears sound and says what it saw. Pure types.

Detectors run in the recorder's detection threads (``detectors.pipeline``). They never decide whether something is
an incident (``detectors.temporal`` does) and never keep a whole picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.contract.times import Instant
from capture.frames import AudioChunk, Frame
from detectors.catalogue import ModelCard

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the frame."""

HOLD = 0.6
"""Share of its threshold at which something already seen still counts as seen (hysteresis).

Detectors report from ``HOLD × threshold`` up, so that ``detectors.temporal`` can tell "gone" from "seen badly".
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing seen or heard once. ``score`` is 0..1 in the model's own scale; sound has no ``box``.

    ``values`` are measurements (angles in degrees, levels in dBFS), ``facts`` short texts for an incident.
    """

    detector: str
    at: Instant
    label: str
    score: float
    box: Box | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


class PictureDetector(Protocol):
    """Looks at one picture after the other; what it keeps between them are boxes, measures, a small grey picture."""

    @property
    def name(self) -> str:
        """``objects`` or ``faces``."""
        ...

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        ...

    def detect(self, frame: Frame) -> list[Observation]:
        """Return what is in ``frame``, best first."""
        ...


class SoundDetector(Protocol):
    """Listens to consecutive chunks and carries state between them."""

    @property
    def name(self) -> str:
        """``speech``."""
        ...

    @property
    def card(self) -> ModelCard:
        """The model in use."""
        ...

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        """Take the next chunk; return one observation for each full window (32 ms) judged, whatever its score."""
        ...

"""One recording's detection: the product's pipeline, without its threads, and what it raised.

Runs in the caller's thread. Times are those of the frames and chunks; no clock is asked.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.evaluation.truth import thing_of
from app.evaluation.weighed import Cost, WeighedPicture, WeighedSound
from capture.frames import AudioChunk, Frame
from capture.stored import moment
from detectors.build import Detectors
from detectors.pipeline import DetectionPipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One incident. ``opened_s`` is when it was first reported, ``start_s`` and ``end_s`` what it says at its end."""

    thing: str
    opened_s: float
    start_s: float
    end_s: float
    source: str
    facts: Mapping[str, str]


class Session:
    """Takes the frames and chunks of one recording, in order; ``costs`` collects by detector."""

    def __init__(self, policy: Detection, detectors: Detectors, costs: dict[str, Cost]) -> None:
        numbers = itertools.count(1)
        self._begin = self._now = moment(0)
        self._opened: dict[str, float] = {}
        self._last: dict[str, Incident] = {}
        self._looked = False
        self.pictures = [WeighedPicture(one, costs[one.name]) for one in detectors.pictures]
        self._sounds = [WeighedSound(one, costs[one.name]) for one in detectors.sounds]
        self._pipeline = DetectionPipeline(
            detectors=replace(detectors, pictures=tuple(self.pictures), sounds=tuple(self._sounds)),
            policy=policy,
            frames=None,
            sound=None,
            new_id=lambda: f"i{next(numbers)}",
            on_incident=self._note,
            on_frame=self._will_look,
        )

    def look(self, frame: Frame) -> bool:
        """Offer one frame; return whether any detector looked at it."""
        self._now, self._looked = frame.at, False
        self._pipeline.look(frame)
        self._raise_failures()
        return self._looked

    def hear(self, chunk: AudioChunk) -> None:
        """Play one chunk."""
        self._now = moment(chunk.at.mono_ns / 1e9 + len(chunk.pcm) / chunk.rate)
        self._pipeline.hear(chunk)
        self._raise_failures()

    def finish(self) -> tuple[Raised, ...]:
        """Close what is open; return everything that was raised, in order of its first report."""
        self._pipeline.stop()
        return tuple(
            self._raised(self._last[name], opened_s)
            for name, opened_s in self._opened.items()
            if thing_of(self._last[name]) != IncidentKind.DETECTION_DEGRADED
        )

    def _will_look(self, _frame: Frame) -> None:
        self._looked = True

    def _note(self, incident: Incident) -> None:
        self._opened.setdefault(incident.id, self._now.seconds_since(self._begin))
        self._last[incident.id] = incident

    def _raise_failures(self) -> None:
        """In an exam the others go on when a detector fails; a measurement without it would be wrong."""
        failures = [one.failure for one in self.pictures] + [one.failure for one in self._sounds]
        for failure in failures:
            if failure is not None:
                raise failure

    def _raised(self, incident: Incident, opened_s: float) -> Raised:
        return Raised(
            thing=thing_of(incident),
            opened_s=opened_s,
            start_s=incident.start.seconds_since(self._begin),
            end_s=incident.end.seconds_since(self._begin),
            source=incident.source,
            facts=dict(incident.facts),
        )

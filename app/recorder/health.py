"""Findings about a source's health as incidents: one when a fault is certain, and again with its end.

One ``HealthWatch`` per track, called in the track's threads: it looks and hears in the reading one.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.contract.incidents import INCIDENTS, Incident, IncidentKind, Track
from app.contract.times import Instant
from capture.frames import AudioChunk, Frame
from capture.health import Fault, Finding, PictureHealth, ScreenHealth, SoundHealth

KINDS: Mapping[Fault, IncidentKind] = {
    Fault.BLACK: IncidentKind.SOURCE_BLACK,
    Fault.COVERED: IncidentKind.SOURCE_BLACK,
    Fault.FROZEN: IncidentKind.SOURCE_BLACK,
    Fault.SILENT: IncidentKind.SOURCE_SILENT,
}


class HealthWatch:
    """Watches one track and hands incidents to ``take``."""

    def __init__(
        self, track: Track, take: Callable[[Incident], None], new_id: Callable[[], str], *, is_sample: bool = False
    ) -> None:
        self._track, self._take, self._new_id = track, take, new_id
        self._is_sample = is_sample
        self._lock = threading.Lock()
        self._begin()
        self._seen: Instant | None = None
        self._open: dict[Fault, Incident] = {}

    def look(self, frame: Frame) -> None:
        """Look at a picture."""
        with self._lock:
            self._seen = frame.at
            self._tell(self._picture.look(frame))

    def hear(self, chunk: AudioChunk) -> None:
        """Hear a chunk."""
        with self._lock:
            self._seen = chunk.at
            self._tell(self._sound.hear(chunk))

    def finish(self) -> None:
        """End what is open where it was last seen: the source is gone, or the recording is over.

        What the source shows when it is back is looked at afresh.
        """
        with self._lock:
            still_open, self._open = list(self._open.values()), {}
            self._begin()
            for incident in still_open:
                self._take(replace(incident, end=self._seen or incident.start, over=True))

    def _begin(self) -> None:
        self._picture = ScreenHealth() if self._track is Track.SCREEN else PictureHealth()
        self._sound = SoundHealth()

    def _tell(self, finding: Finding | None) -> None:
        if finding is None or (self._is_sample and finding.fault is Fault.FROZEN):
            return  # sample footage may well hold a still; only a device that does is broken
        known = self._open.pop(finding.fault, None)
        kind = KINDS[finding.fault]
        incident = Incident(
            id=known.id if known else self._new_id(),
            kind=kind,
            start=finding.start,
            end=finding.end or finding.start,
            over=finding.end is not None,
            severity=INCIDENTS[kind].severity,
            source=self._track.value,
            facts={"fault": finding.fault.value, **finding.facts},
        )
        if not incident.over:
            self._open[finding.fault] = incident
        self._take(incident)

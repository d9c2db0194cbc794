"""Findings about a source's health as incidents: one when a fault is certain, and again with its end.

Called in the track's reading thread; one ``HealthWatch`` per track.
"""

from collections.abc import Callable, Mapping

from app.contract.incidents import INCIDENTS, Incident, IncidentKind, Track
from capture.frames import AudioChunk, Frame
from capture.health import Fault, Finding, PictureHealth, SoundHealth

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
        self._picture = PictureHealth()
        self._sound = SoundHealth()
        self._open: dict[Fault, str] = {}

    def look(self, frame: Frame) -> None:
        """Look at a picture."""
        self._tell(self._picture.look(frame))

    def hear(self, chunk: AudioChunk) -> None:
        """Hear a chunk."""
        self._tell(self._sound.hear(chunk))

    def _tell(self, finding: Finding | None) -> None:
        if finding is None or (self._is_sample and finding.fault is Fault.FROZEN):
            return  # sample footage may well hold a still; only a device that does is broken
        if finding.end is None:
            identity = self._open.setdefault(finding.fault, self._new_id())
        else:
            identity = self._open.pop(finding.fault, "") or self._new_id()
        kind = KINDS[finding.fault]
        self._take(
            Incident(
                id=identity,
                kind=kind,
                start=finding.start,
                end=finding.end or finding.start,
                over=finding.end is not None,
                severity=INCIDENTS[kind].severity,
                source=self._track.value,
                facts={"fault": finding.fault.value, **finding.facts},
            )
        )

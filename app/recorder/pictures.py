"""Incident pictures: the frame nearest to the moment an incident opened, sealed into the ``pictures`` track.

Called in whatever thread reports the incident; sealing one JPEG takes a few milliseconds.
"""

import threading

from app.contract.incidents import Incident, IncidentKind
from app.contract.journal import PictureMeta, encode_picture
from app.recorder.journal import PlainSegmenter
from app.recorder.timeline import Timeline
from capture.frames import Frame
from capture.stills import jpeg

SEEN_BY_CAMERA = frozenset(
    {
        IncidentKind.PHONE,
        IncidentKind.OBJECT,
        IncidentKind.SECOND_PERSON,
        IncidentKind.ABSENT,
        IncidentKind.LOOKING_AWAY,
        IncidentKind.SOURCE_BLACK,
    }
)


class IncidentPictures:
    """Keeps the newest camera frame, and seals it when an incident that the camera saw opens."""

    def __init__(self, segmenter: PlainSegmenter, timeline: Timeline) -> None:
        self._segmenter = segmenter
        self._timeline = timeline
        self._lock = threading.Lock()
        self._newest: Frame | None = None
        self._done: set[str] = set()
        self._closed = False

    def see(self, frame: Frame) -> None:
        """Remember the newest frame."""
        self._newest = frame

    def keep(self, incident: Incident) -> None:
        """Seal a picture for ``incident`` once, if the camera has to do with it."""
        frame = self._newest
        with self._lock:
            if self._closed or frame is None or incident.kind not in SEEN_BY_CAMERA or incident.id in self._done:
                return
            self._done.add(incident.id)
            at_ms = self._timeline.at_ms(frame.at)
            meta = PictureMeta(incident=incident.id, at_ms=at_ms, mime="image/jpeg")
            self._segmenter.push_plain(encode_picture(meta, jpeg(frame.image)), at_ms)

    def close(self) -> None:
        """Close the track."""
        with self._lock:
            self._closed = True  # a picture after this would open a segment that nobody closes
            self._segmenter.close()

"""Pictures sealed into the ``pictures`` track: the best look at each incident, and control pictures between them.

Called in whatever thread reports an incident or looks at a frame; sealing one JPEG takes a few milliseconds.
"""

import threading
from collections import deque
from collections.abc import Callable

from app.contract.incidents import Incident, IncidentKind, Track
from app.contract.journal import PictureMeta, encode_picture
from app.contract.times import Instant
from app.recorder.control_times import ControlTimes
from app.recorder.journal import PlainSegmenter
from app.recorder.timeline import Timeline
from capture.frames import Frame
from capture.spool import SpoolFull
from capture.stills import jpeg

SEEN_BY_CAMERA = frozenset(
    {
        IncidentKind.PHONE,
        IncidentKind.OBJECT,
        IncidentKind.OBJECT_IN_HAND,
        IncidentKind.HEADPHONES,
        IncidentKind.SECOND_PERSON,
        IncidentKind.OTHER_PERSON,
        IncidentKind.ABSENT,
        IncidentKind.NO_FACE,
        IncidentKind.LOOKING_AWAY,
        IncidentKind.SOURCE_BLACK,
    }
)
LOOKED_AT = 16
"""Frames that were looked at and are kept as they are: some three seconds of them, so that the best one is among them
when an incident opens,"""
LOOKED_AT_BYTES = 16 * 2**20
"""and this much memory at most."""


class IncidentPictures:
    """Seals a picture when an incident that the camera saw opens, and another when it was seen clearly better.

    ``control`` says when a control picture is due; ``on_control`` gets its name. None is taken while an incident lasts.
    """

    def __init__(
        self,
        segmenter: PlainSegmenter,
        timeline: Timeline,
        control: ControlTimes | None = None,
        on_control: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._segmenter = segmenter
        self._timeline = timeline
        self._control, self._on_control = control, on_control
        self._lock = threading.Lock()
        self._newest: Frame | None = None
        self._looked_at: deque[Frame] = deque(maxlen=LOOKED_AT)
        self._done: dict[str, Instant | None] = {}
        self._open: set[str] = set()
        self._closed = False

    def see(self, frame: Frame) -> None:
        """Remember the newest frame."""
        self._newest = frame

    def looked_at(self, frame: Frame) -> None:
        """Remember a frame that detectors look at; an incident may turn out to be seen best on it."""
        with self._lock:
            self._looked_at.append(frame)
            while len(self._looked_at) * frame.image.nbytes > LOOKED_AT_BYTES and len(self._looked_at) > 1:
                self._looked_at.popleft()
            at_ms = self._timeline.at_ms(frame.at)
            if self._closed or self._control is None or self._open or not self._control.due(at_ms):
                return
            self._control.took(at_ms)
            name = f"control-{at_ms}"
            try:
                self._seal(name, frame)
            except SpoolFull:
                return  # the next incident says so; a control picture is not worth one of its own
        self._on_control(name)

    def keep(self, incident: Incident) -> None:
        """Seal a picture for ``incident``, if the camera has to do with it and there is a new or better one."""
        if incident.kind not in SEEN_BY_CAMERA or incident.source == Track.SCREEN:
            return  # a black screen is no reason to keep a picture of somebody
        with self._lock:
            (self._open.discard if incident.over else self._open.add)(incident.id)
            frame = self._frame_for(incident)
            if self._closed or frame is None:
                return
            self._done[incident.id] = incident.best
            self._seal(incident.id, frame)

    def close(self) -> None:
        """Close the track."""
        with self._lock:
            self._closed = True  # a picture after this would open a segment that nobody closes
            self._segmenter.close()

    def _frame_for(self, incident: Incident) -> Frame | None:
        """Return the frame to seal: the best look, at the first word on an incident at least the newest frame."""
        best = incident.best
        exact = next((frame for frame in self._looked_at if best is not None and frame.at == best), None)
        if incident.id not in self._done:
            return exact or self._newest
        return exact if best != self._done[incident.id] else None

    def _seal(self, name: str, frame: Frame) -> None:
        at_ms = self._timeline.at_ms(frame.at)
        meta = PictureMeta(incident=name, at_ms=at_ms, mime="image/jpeg")
        self._segmenter.push_plain(encode_picture(meta, jpeg(frame.image)), at_ms)

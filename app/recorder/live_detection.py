"""The detection of one recording: what the tracks hand over, looked at and listened to, and what is told of it.

Owns the two mailboxes between the tracks and the detection threads. ``see`` and ``hear`` are called in the tracks'
threads and never wait; what is told comes from the detection threads.
"""

from collections.abc import Callable

from app.contract.hints import Hint
from app.contract.policy import Detection
from app.contract.times import Clock, Instant
from app.mailbox import Bounded, Latest
from app.recorder.detection import rates_in_words
from app.recorder.hinting import Hinting
from app.recorder.incidents import Incidents
from app.recorder.journal import Journal
from app.recorder.pictures import IncidentPictures
from app.recorder.power import Battery
from capture.frames import AudioChunk, Frame
from detectors.catalogue import Task
from detectors.pipeline import DetectionPipeline, Detectors, Look
from detectors.scheduler import Scheduler

SOUND_CHUNKS = 250
"""How much sound may wait for the detector before some is dropped."""


class LiveDetection:
    """Looks and listens between ``start`` and ``stop``."""

    def __init__(
        self,
        detectors: Detectors,
        policy: Detection,
        *,
        journal: Journal,
        incidents: Incidents,
        pictures: IncidentPictures,
        clock: Clock,
        on_hint: Callable[[Hint], bool],
    ) -> None:
        self._pictures = pictures
        self._hinting = Hinting(on_hint, journal.quality)
        self._frames: Latest[Frame] = Latest()
        self._sound: Bounded[AudioChunk] = Bounded(SOUND_CHUNKS)
        self._pipeline = DetectionPipeline(
            detectors=detectors,
            policy=policy,
            frames=self._frames,
            sound=self._sound,
            new_id=incidents.new_id,
            on_incident=incidents.detected,
            on_look=self._looked,
            on_frame=pictures.looked_at,
            on_rates=lambda rates: journal.note(**rates_in_words(rates)),
            scheduler=Scheduler(
                policy,
                [one.name for one in detectors.pictures],
                adaptive=True,
                on_battery=Battery(clock).in_use,
            ),
        )

    def _looked(self, look: Look) -> None:
        if look.detector == Task.FACES:
            self._hinting.look(look.at, look.counts)

    def see(self, frame: Frame) -> None:
        """Take the camera's newest picture."""
        self._pictures.see(frame)
        self._frames.put(frame)

    def hear(self, chunk: AudioChunk) -> None:
        """Take the next sound; dropped, and counted by its number, where too much waits."""
        self._sound.offer(chunk)

    def page_sound(self, at: Instant, *, audible: bool) -> None:
        """The exam's page began to play sound at ``at``, or ceased to."""
        self._pipeline.page_sound(at, audible=audible)

    def part(self) -> None:
        """Tell the end of what is open now; what goes on is told as another incident."""
        self._pipeline.part()

    def start(self) -> None:
        """Begin."""
        self._pipeline.start()

    def stop(self) -> None:
        """End, and tell the end of what is still open."""
        self._pipeline.stop()

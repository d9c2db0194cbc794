"""The media tracks of a recording: camera, screen and microphone, each from its source to sealed segments.

Owns what has to be known of all of them together: whether each has something on disk, and which was lost for good.
Callbacks run in the tracks' threads.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.contract.errors import FairlockError, Fatal
from app.contract.incidents import IncidentKind, Severity, Track
from app.contract.policy import Capture, Treatment
from app.contract.times import Clock
from app.recorder.encoders import Encoders
from app.recorder.health import HealthWatch
from app.recorder.incidents import Incidents
from app.recorder.journal import Journal
from app.recorder.sources import Sources
from app.recorder.timeline import Timeline
from app.supervisor import RestartWindow
from capture.fragments import Encoder, Fragment
from capture.frames import AudioChunk, Frame, Gap
from capture.load import Load
from capture.made_up import sounds_made_up
from capture.quality import Quality
from capture.segmenter import Segmenter
from capture.sources import AUDIO_CHUNK, AUDIO_RATE, AudioSource, Origin, SourceLost, VideoSource
from capture.sources import Source as Device
from capture.spool import SpoolFull
from capture.track import DRAIN_S, Source, TrackLost, TrackRecorder

STOP_DEADLINE_S = 10.0
"""What a device or an encoder is waited for that brings and takes nothing."""
FIRST_FRAGMENT_DEADLINE_S = 20.0
# What a starved encoder may lag behind before pictures are dropped: at most some 80 MB each for camera and screen.
VIDEO_QUEUE_S = 5
SOUND_QUEUE_S = 5
RENEWALS = 3
RENEWAL_WINDOW_S = 60.0
"""So often within so long may a track's encoder or device fail before the track counts as lost."""
NOT_RECORDING = "Fairlock was not recording"

T = TypeVar("T", bound=Frame | AudioChunk)
T_co = TypeVar("T_co", covariant=True)


class NamedSource(Device, Source[T_co], Protocol[T_co]):
    """A source that says what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackParts:
    """What tracks are made of and whom they tell. ``ends``: where earlier epochs end on the timeline, in ms."""

    capture: Capture
    clock: Clock
    timeline: Timeline
    journal: Journal
    incidents: Incidents
    new_segmenter: Callable[[Track, str, int, bytes], Segmenter]
    on_frame: Callable[[Frame], object]
    on_chunk: Callable[[AudioChunk], object]
    on_lost: Callable[[TrackLost], object]
    ends: Mapping[Track, int]
    virtual_devices: Treatment = Treatment.RECORD


class Tracks:
    """Starts, awaits and stops them."""

    def __init__(self, parts: TrackParts) -> None:
        self._parts = parts
        self._awaited: dict[Track, threading.Event] = {}
        self._lost: TrackLost | None = None
        self._encoders = Encoders(parts.capture, parts.timeline.origin)
        self._recorders: list[TrackRecorder[Frame] | TrackRecorder[AudioChunk]] = []
        self._stack = ExitStack()
        self._longest_s = DRAIN_S
        self.all_stopped = True

    @property
    def quality(self) -> Quality:
        """Return what the encoders aim at."""
        return self._encoders.quality

    def loads(self) -> list[Load]:
        """Return how hard each track works."""
        return [recorder.load() for recorder in self._recorders]

    def ease(self, step: int) -> Quality:
        """Encode pictures on ``step`` of ``capture.quality`` from now on; sound is too small to be worth it."""
        self._encoders.quality = quality = Quality.wanted(self._parts.capture).lowered(step)
        for recorder in self._recorders:
            if recorder.track is not Track.MICROPHONE:
                recorder.exchange()
        return quality

    def start(self, sources: Sources) -> None:
        """Start a track for each source; returns once their threads run. Raises ``UserFacing`` when one refuses."""
        self._awaited = {source.track: threading.Event() for source in sources}
        if sources.camera is not None:
            self._start_video(sources.camera, self._parts.capture.camera_fps)
        if sources.screen is not None:
            self._start_video(sources.screen, self._parts.capture.screen_fps)
        if sources.microphone is not None:
            self._start_sound(sources.microphone)

    def wait_for_first_fragments(self) -> None:
        """Wait until every track has something on disk: before that, nobody may say that it records."""
        for track, event in self._awaited.items():
            arrived = event.wait(FIRST_FRAGMENT_DEADLINE_S)
            if self._lost is not None:
                raise self._lost
            if not arrived:
                raise Fatal(f"Nothing came from the {track} within {FIRST_FRAGMENT_DEADLINE_S:.0f} s.")

    def hurry(self) -> None:
        """Wait for no encoder longer than for one that stands: as long as they end, nothing is recorded."""
        self._longest_s = STOP_DEADLINE_S

    def stop(self) -> None:
        """Stop them, the last one first; what one could not seal must not keep the others from being sealed.

        They end at the same time: two whose devices hang, or whose encoders stand, take no longer than one.
        """
        for recorder in self._recorders:
            recorder.ask_to_stop()
        for recorder in self._recorders:
            recorder.stop_reading(STOP_DEADLINE_S)
        self._stack.close()

    def failed(self, track: Track, error: FairlockError) -> None:
        """Write why a track failed; one that is lost is told to whoever decides how to go on without it."""
        if isinstance(error, SourceLost):
            kind = IncidentKind.SOURCE_LOST
        elif isinstance(error, SpoolFull):
            kind = IncidentKind.SPOOL_FULL
        else:
            kind = IncidentKind.COMPONENT_RESTARTED
        severity = Severity.ALERT if isinstance(error, TrackLost) else None
        try:
            self._parts.incidents.report(
                kind, source=track.value, severity=severity, name=track.value, reason=str(error)
            )
        finally:
            if isinstance(error, TrackLost):
                self._lose(error)

    # --- starting ------------------------------------------------------------------------------------------------

    def _start_video(self, source: VideoSource, fps: int) -> None:
        source.open()
        watch = self._watch(source)

        def on_frame(frame: Frame) -> None:
            if frame.source is Track.CAMERA:
                self._parts.on_frame(frame)
            watch.look(frame)

        encoder = self._encoders.video(source.track, source.width, source.height)
        renew = self._encoders.video_for
        self._start(source, encoder, renew, rate=fps, queue_s=VIDEO_QUEUE_S, on_item=on_frame, watch=watch)

    def _start_sound(self, source: AudioSource) -> None:
        source.open()
        watch = self._watch(source)

        def on_chunk(chunk: AudioChunk) -> None:
            self._parts.on_chunk(chunk)
            watch.hear(chunk)

        encoder, renew = self._encoders.sound(), self._encoders.sound_for
        rate = AUDIO_RATE / AUDIO_CHUNK
        self._start(source, encoder, renew, rate=rate, queue_s=SOUND_QUEUE_S, on_item=on_chunk, watch=watch)

    def _watch(self, source: VideoSource | AudioSource) -> HealthWatch:
        self._name(source)
        incidents = self._parts.incidents
        return HealthWatch(source.track, incidents.take, incidents.new_id, is_sample=source.origin is Origin.SAMPLE)

    def _name(self, source: NamedSource[T]) -> None:
        """Write what a track is recorded from, and what its name says of it."""
        name, track = source.name, source.track.value
        self._parts.journal.source(track, {"origin": source.origin.value, "name": name})
        if sounds_made_up(name) and self._parts.virtual_devices is not Treatment.IGNORE:
            self._parts.incidents.report(
                IncidentKind.VIRTUAL_DEVICE, source=track, device=name, reason="programs make devices of such names"
            )

    def _start(
        self,
        source: NamedSource[T],
        encoder: Encoder[T],
        renew: Callable[[T, int], Encoder[T]],
        *,
        rate: float,
        queue_s: float,
        on_item: Callable[[T], None],
        watch: HealthWatch,
    ) -> None:
        parts, track = self._parts, source.track

        def on_error(error: FairlockError) -> None:
            if isinstance(error, SourceLost):
                watch.finish()
            self.failed(track, error)

        recorder = TrackRecorder(
            track=track,
            source=source,
            encoder=encoder,
            segmenter=parts.new_segmenter(track, encoder.mime, parts.capture.segment_ms, encoder.init),
            rate=rate,
            queue_s=queue_s,
            clock=parts.clock,
            timeline_origin=parts.timeline.origin,
            on_frame=on_item,
            on_gap=parts.journal.gap,
            on_error=on_error,
            on_fragment=self._note,
            on_back=lambda away: self._source_back(source, away),
            renew=renew,
            may_renew=RestartWindow(RENEWALS, RENEWAL_WINDOW_S).allow,
        )
        recorder.start()
        self._recorders.append(recorder)  # type: ignore[arg-type]  # T is one of the two
        self._stack.callback(watch.finish)
        self._stack.callback(self._stop, recorder)

    def _stop(self, recorder: TrackRecorder[T]) -> None:
        if not recorder.stop(STOP_DEADLINE_S, self._longest_s):
            self.all_stopped = False  # its last segment is recovered at the next start, so this is not the end yet

    # --- what the tracks say -------------------------------------------------------------------------------------

    def _note(self, fragment: Fragment) -> None:
        """Something is on disk; the first time, say since when nothing was."""
        event = self._awaited[fragment.track]
        if not event.is_set():
            event.set()
            self._write_absence(fragment)

    def _write_absence(self, first: Fragment) -> None:
        """Write the stretch between what an earlier epoch recorded of this track and its first fragment now."""
        ended_ms = self._parts.ends.get(first.track)
        if ended_ms is not None and first.start_ms > ended_ms:
            at = self._parts.timeline.instant
            gap = Gap(source=first.track, start=at(ended_ms), end=at(first.start_ms), reason=NOT_RECORDING)
            self._parts.journal.gap(gap)

    def _lose(self, error: TrackLost) -> None:
        self._lost = error
        for event in self._awaited.values():
            event.set()
        self._parts.on_lost(error)

    def _source_back(self, source: NamedSource[T], away: Gap) -> None:
        self._name(source)  # it may be another one
        seconds = f"{away.end.seconds_since(away.start):.0f}"
        track = away.source.value
        self._parts.incidents.report(
            IncidentKind.SOURCE_BACK, source=track, start=away.end, name=track, seconds=seconds, device=source.name
        )

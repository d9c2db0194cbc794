"""The recording: the composition root of capture, detection, journal, spool and upload.

``Recording`` is built once a session is bound and its sources are chosen. Everything that must end is on one
``ExitStack``; stopping is its unwinding: sources, encoders, detectors, journal, then the upload.
"""

import logging
import platform
import secrets
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from app.contract.agreement import described
from app.contract.errors import FairlockError, Fatal
from app.contract.incidents import INCIDENTS, Incident, IncidentKind, Severity, Track
from app.contract.journal import JOURNAL_MIME, PICTURES_MIME
from app.contract.sealing import jws
from app.contract.sealing.records import COMPLETION_TYPE, END_TYPE, FORMAT_VERSION, Completion, End
from app.contract.times import Clock, Instant
from app.contract.wire import EndRequest
from app.mailbox import Bounded, Latest
from app.messages import Report
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.granting import Granted
from app.recorder.health import HealthWatch
from app.recorder.joining import JoinedSession
from app.recorder.journal import Journal
from app.recorder.options import RecorderOptions
from app.recorder.pictures import IncidentPictures
from app.recorder.sources import Sources
from app.recorder.timeline import Timeline
from app.supervisor import RestartWindow
from app.version import VERSION
from capture.chain import Chain
from capture.encoder import AudioEncoder, VideoEncoder
from capture.fragments import Encoder, Fragment
from capture.frames import AudioChunk, Frame, Gap
from capture.recovery import Recovered, recover
from capture.segmenter import Segmenter
from capture.sources import AUDIO_CHUNK, AUDIO_RATE, AudioSource, Origin, SourceLost, VideoSource
from capture.spool import Spool, SpoolFull
from capture.track import Source, TrackLost, TrackRecorder
from capture.uploader import Uploader, receipt_verifier
from detectors.pipeline import DetectionPipeline

STOP_DEADLINE_S = 10.0
FIRST_FRAGMENT_DEADLINE_S = 20.0
END_ATTEMPTS = 3
PLAIN_SEGMENT_MS = 5_000
# What a starved encoder may lag behind before pictures are dropped: at most some 80 MB each for camera and screen.
VIDEO_QUEUE_S = 5
RENEWALS = 3
RENEWAL_WINDOW_S = 60.0
"""So often within so long may a track's encoder or device fail before the track counts as lost."""

T = TypeVar("T", bound=Frame | AudioChunk)

_log = logging.getLogger("fairlock.recorder")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingParts:
    """What a recording is made of. ``granted`` is what its candidate was; ``on_track_lost`` is called in the track's
    thread.
    """

    joined: JoinedSession
    client: ServerClient
    sources: Sources
    detection: DetectionChoice
    clock: Clock
    options: RecorderOptions
    granted: Granted = field(default_factory=Granted)
    on_track_lost: Callable[[TrackLost], object] = lambda _error: None


class Recording:
    """One epoch of one session, from the first fragment to the last receipt."""

    def __init__(self, parts: RecordingParts) -> None:
        self._parts, self._clock, self._policy = parts, parts.clock, parts.joined.policy
        joined, saved = parts.joined, parts.joined.saved
        origin = Instant(mono_ns=saved.origin_mono_ns, utc_ms=saved.origin_utc_ms)
        self.timeline = Timeline(origin, self._clock.now())
        self.spool = Spool(
            joined.folder / "spool",
            session=joined.session,
            quota_bytes=self._policy.upload.quota_mib * 2**20,
            clock=self._clock,
        )
        self.chain = Chain(joined.folder / "chain", joined.session, joined.policy_digest, joined.signing_key)
        self._recovered: Recovered = recover(self.spool, self.chain, self._clock)
        self.journal = Journal(self._segmenter(Track.JOURNAL, JOURNAL_MIME), self.timeline, self._clock)
        self.pictures = IncidentPictures(self._segmenter(Track.PICTURES, PICTURES_MIME), self.timeline)
        self.uploader = Uploader(
            self.spool,
            parts.client,
            receipt_verifier(joined.receipt_key),
            self._clock,
            on_error=self._upload_failed,
        )
        self._frames: Latest[Frame] = Latest()
        self._sound: Bounded[AudioChunk] = Bounded(250)
        self._awaited = {source.track: threading.Event() for source in parts.sources}
        self._lost: TrackLost | None = None
        self._all_sealed = True
        self._stack = ExitStack()
        self._id_lock = threading.Lock()
        self._ids = 0

    def head(self) -> tuple[bytes, int]:
        """Return the chain's head and its length, for heartbeats."""
        return self.chain.head, self.chain.count

    def start(self) -> None:
        """Start everything; returns once every track's threads run. Raises ``UserFacing`` when a source refuses."""
        self.uploader.start()
        self.journal.start()
        self._stack.callback(self.journal.stop)
        self._stack.callback(self.pictures.close)
        self._write_facts()
        self._start_detection()
        sources, capture = self._parts.sources, self._policy.capture
        if sources.camera is not None:
            self._start_video(sources.camera, capture.camera_fps)
        if sources.screen is not None:
            self._start_video(sources.screen, capture.screen_fps)
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

    def stop(self) -> None:
        """Stop recording; what was recorded is on disk afterwards, and the upload goes on.

        What could not be sealed (a full disk) must not keep the rest from being sent: the next start recovers it.
        """
        try:
            self._stack.close()
        except (FairlockError, OSError):
            self._all_sealed = False
            _log.exception("not everything could be sealed")

    def flush(self, reason: str, deadline_s: float, on_progress: Callable[[int, int], None]) -> bool:
        """Upload what is left and end the session; ``False`` when it stays on disk for later."""
        drained = self.uploader.drain(deadline_s, on_progress)
        return drained and self._all_sealed and self.spool.totals().refused == 0 and self._end(reason)

    def close(self) -> None:
        """Stop the upload and close files."""
        self.uploader.stop(STOP_DEADLINE_S)
        self.spool.close()
        self.chain.close()

    def report(
        self,
        kind: IncidentKind,
        *,
        source: str,
        start: Instant | None = None,
        severity: Severity | None = None,
        **facts: str,
    ) -> None:
        """Write an incident of a moment (now) that is not a detector's."""
        begun = start or self._clock.now()
        self.take(
            Incident(
                id=self.new_id(),
                kind=kind,
                start=begun,
                end=begun,
                severity=severity or INCIDENTS[kind].severity,
                source=source,
                facts=facts,
            )
        )

    def take_report(self, report: Report) -> None:
        """Write an incident that the shell or the guard saw."""
        self.take(
            Incident(
                id=self.new_id(),
                kind=report.kind,
                start=report.start,
                end=report.end,
                severity=report.severity or INCIDENTS[report.kind].severity,
                source=report.source,
                facts=report.facts,
            )
        )

    def take(self, incident: Incident) -> None:
        """Write an incident as the agreement with the candidate wants it, with a picture if the camera saw it."""
        incident = self._parts.granted.settle(incident)
        self.journal.incident(incident)
        try:
            self.pictures.keep(incident)
        except SpoolFull as error:
            self._track_failed(Track.PICTURES, error)

    def _detected(self, incident: Incident) -> None:
        if self._parts.granted.is_looked_for(incident):
            self.take(incident)

    def new_id(self) -> str:
        """Return an incident's id, unique in the session."""
        with self._id_lock:
            self._ids += 1
            return f"{self._parts.joined.epoch}-{self._ids}-{secrets.token_hex(3)}"

    # --- starting ------------------------------------------------------------------------------------------------

    def _start_video(self, source: VideoSource, fps: int) -> None:
        source.open()
        capture = self._policy.capture
        watch = self._watch(source)

        def on_frame(frame: Frame) -> None:
            if frame.source is Track.CAMERA:
                self.pictures.see(frame)
                self._frames.put(frame)
                watch.look(frame)

        def encoder() -> VideoEncoder:
            return VideoEncoder(
                source.track,
                width=source.width,
                height=source.height,
                fps=fps,
                codec=capture.codec,
                timeline_origin=self.timeline.origin,
                segment_ms=capture.segment_ms,
            )

        self._start_track(source.track, source, encoder, rate=fps, queue_s=VIDEO_QUEUE_S, on_item=on_frame)

    def _start_sound(self, source: AudioSource) -> None:
        source.open()
        watch = self._watch(source)

        def on_chunk(chunk: AudioChunk) -> None:
            self._sound.offer(chunk)
            watch.hear(chunk)

        def encoder() -> AudioEncoder:
            return AudioEncoder(self.timeline.origin)

        self._start_track(source.track, source, encoder, rate=AUDIO_RATE / AUDIO_CHUNK, queue_s=5, on_item=on_chunk)

    def _watch(self, source: VideoSource | AudioSource) -> HealthWatch:
        self.journal.source(source.track.value, {"origin": source.origin.value, "name": source.name})
        return HealthWatch(source.track, self.take, self.new_id, is_sample=source.origin is Origin.SAMPLE)

    def _start_track(
        self,
        track: Track,
        source: Source[T],
        new_encoder: Callable[[], Encoder[T]],
        *,
        rate: float,
        queue_s: float,
        on_item: Callable[[T], None],
    ) -> None:
        encoder = new_encoder()
        recorder = TrackRecorder(
            track=track,
            source=source,
            encoder=encoder,
            segmenter=self._segmenter(track, encoder.mime, self._policy.capture.segment_ms, encoder.init),
            rate=rate,
            queue_s=queue_s,
            clock=self._clock,
            timeline_origin=self.timeline.origin,
            on_frame=on_item,
            on_gap=self.journal.gap,
            on_error=lambda error: self._track_failed(track, error),
            on_fragment=self._note_fragment,
            on_back=self._source_back,
            renew=new_encoder,
            may_renew=RestartWindow(RENEWALS, RENEWAL_WINDOW_S).allow,
        )
        recorder.start()
        self._stack.callback(self._stop_track, recorder)

    def _stop_track(self, recorder: TrackRecorder[T]) -> None:
        if not recorder.stop(STOP_DEADLINE_S):
            self._all_sealed = False  # its last segment is recovered at the next start, so this is not the end yet

    def _start_detection(self) -> None:
        pipeline = DetectionPipeline(
            detectors=self._parts.detection.detectors,
            policy=self._policy.detection,
            frames=self._frames,
            sound=self._sound,
            new_id=self.new_id,
            on_incident=self._detected,
        )
        pipeline.start()
        self._stack.callback(pipeline.stop)

    def _segmenter(self, track: Track, mime: str, segment_ms: int = PLAIN_SEGMENT_MS, init: bytes = b"") -> Segmenter:
        return Segmenter(
            track=track,
            spool=self.spool,
            chain=self.chain,
            epoch=self._parts.joined.epoch,
            recipients=self._policy.recipients,
            segment_ms=segment_ms,
            mime=mime,
            clock=self._clock,
            timeline_origin=self.timeline.origin,
            init=init,
        )

    def _write_facts(self) -> None:
        options, detection = self._parts.options, self._parts.detection
        shows_samples = bool(options.sample_note) and self._policy.demonstration
        self.journal.note(
            fairlock=VERSION,
            system=platform.platform(),
            policy=self._parts.joined.policy_digest.hex(),
            **({"sample_footage": options.sample_note} if shows_samples else {}),
            **{f"model_{task}": name for task, name in detection.names.items()},
        )
        agreement = self._parts.joined.agreement
        if agreement is not None:
            self.journal.agreement(self._parts.joined.saved.agreement or "", described(agreement))
        for task, refusal in detection.refused.items():
            self.report(IncidentKind.DETECTION_DEGRADED, source=task, reason=refusal)
        if self._parts.joined.epoch > 0:
            self.report(
                IncidentKind.COMPONENT_RESTARTED,
                source="recorder",
                epoch=str(self._parts.joined.epoch),
                recovered_segments=str(len(self._recovered.segments)),
                torn_bytes=str(self._recovered.torn_bytes),
            )

    # --- what the threads say ------------------------------------------------------------------------------------

    def _note_fragment(self, fragment: Fragment) -> None:
        self._awaited[fragment.track].set()

    def _track_failed(self, track: Track, error: FairlockError) -> None:
        if isinstance(error, SourceLost):
            kind = IncidentKind.SOURCE_LOST
        elif isinstance(error, SpoolFull):
            kind = IncidentKind.SPOOL_FULL
        else:
            kind = IncidentKind.COMPONENT_RESTARTED
        severity = Severity.ALERT if isinstance(error, TrackLost) else None
        try:
            self.report(kind, source=track.value, severity=severity, name=track.value, reason=str(error))
        finally:
            if isinstance(error, TrackLost):
                self._lose(error)

    def _lose(self, error: TrackLost) -> None:
        """Tell whoever waits for the first fragments, and whoever must decide how to go on without a track."""
        self._lost = error
        for event in self._awaited.values():
            event.set()
        self._parts.on_track_lost(error)

    def _source_back(self, away: Gap) -> None:
        seconds = f"{away.end.seconds_since(away.start):.0f}"
        track = away.source.value
        self.report(IncidentKind.SOURCE_BACK, source=track, start=away.end, name=track, seconds=seconds)

    def _upload_failed(self, error: FairlockError) -> None:
        self.journal.note(upload=error.code, reason=str(error))

    def _end(self, reason: str) -> bool:
        end = End(
            version=FORMAT_VERSION,
            session=self._parts.joined.session,
            head=self.chain.head,
            records=self.chain.count,
            segments=self.chain.counts(),
            reason=reason,
            ended_ms=self._clock.now().utc_ms,
        )
        token = jws.sign(end, self._parts.joined.signing_key, typ=END_TYPE)
        for attempt in range(END_ATTEMPTS):
            try:
                answer = self._parts.client.end(self._parts.joined.session, EndRequest(end=token))
            except FairlockError:
                if attempt == END_ATTEMPTS - 1:
                    raise
                self._clock.sleep(1.0)
                continue
            return answer.completion is not None and self._is_ours(answer.completion, token)
        return False

    def _is_ours(self, completion: str, end: str) -> bool:
        """Check that the server signed that it has everything this very end speaks of."""
        said = jws.verify(Completion, completion, self._parts.joined.receipt_key, typ=COMPLETION_TYPE)
        return said.session == self._parts.joined.session and said.end == jws.digest(end)

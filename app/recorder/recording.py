"""The recording: the composition root of capture, detection, journal, spool and upload.

``Recording`` is built once a session is bound and its sources are chosen. Everything that must end is on one
``ExitStack``; stopping is its unwinding: sources, encoders, detectors, journal, then the upload.
"""

import os
import platform
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from app.contract.errors import FairlockError
from app.contract.incidents import INCIDENTS, Incident, IncidentKind, Track
from app.contract.journal import JOURNAL_MIME, PICTURES_MIME
from app.contract.sealing import jws
from app.contract.sealing.records import END_TYPE, FORMAT_VERSION, RECEIPT_TYPE, End, Receipt, Record
from app.contract.times import Clock, Instant
from app.contract.wire import EndRequest
from app.mailbox import Bounded, Latest
from app.recorder.client import ServerClient
from app.recorder.joining import JoinedSession
from app.recorder.journal import Journal
from app.recorder.pictures import IncidentPictures
from app.recorder.sources import Sources
from app.recorder.timeline import Timeline
from capture.chain import Chain
from capture.encoder import AudioEncoder, VideoEncoder
from capture.frames import AudioChunk, Frame
from capture.health import PictureHealth, SoundHealth
from capture.segmenter import PlainSegmenter, Segmenter
from capture.sources import AudioSource, VideoSource
from capture.spool import Spool
from capture.track import TrackRecorder
from capture.uploader import Uploader
from detectors.pipeline import DetectionPipeline, Detectors

STOP_DEADLINE_S = 10.0
FRAGMENT_MS = {Track.CAMERA: 250, Track.SCREEN: 1_000, Track.MICROPHONE: 500}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingParts:
    """What a recording is made of."""

    joined: JoinedSession
    client: ServerClient
    sources: Sources
    detectors: Detectors | None
    clock: Clock
    facts: Mapping[str, str]


class Recording:
    """One epoch of one session, from the first fragment to the last receipt."""

    def __init__(self, parts: RecordingParts) -> None:
        joined, clock = parts.joined, parts.clock
        self._parts = parts
        self._policy = joined.policy
        saved = joined.saved
        origin = Instant(mono_ns=saved.origin_mono_ns, utc_ms=saved.origin_utc_ms)
        self.timeline = Timeline(origin, clock.now())
        self.chain = Chain(joined.folder / "chain.jsonl", joined.session, joined.policy_digest, joined.signing_key)
        self.spool = Spool(
            joined.folder / "spool", session=joined.session, quota_bytes=self._policy.upload.quota_mib * 2**20
        )
        self.recovered = self.spool.recover(self.chain, clock)
        self.journal = Journal(self._plain(Track.JOURNAL, JOURNAL_MIME), self.timeline, clock)
        self.pictures = IncidentPictures(self._plain(Track.PICTURES, PICTURES_MIME), self.timeline)
        self.uploader = Uploader(self.spool, parts.client, self._verify_receipt, clock)
        self._camera_frames: Latest[Frame] = Latest()
        self._sound: Bounded[AudioChunk] = Bounded(250)
        self._stack = ExitStack()
        self._ids = 0

    def head(self) -> tuple[bytes, int]:
        """Return the chain's head and its length, for heartbeats."""
        return self.chain.head, self.chain.count

    def start(self) -> None:
        """Start everything; returns once every track's threads run."""
        stack = self._stack
        self.uploader.start()
        stack.callback(self.uploader.stop)
        self.journal.start()
        stack.callback(self.journal.stop)
        stack.callback(self.pictures.close)
        self._write_facts()
        self._start_detection(stack)
        sources = self._parts.sources
        if sources.camera is not None:
            self._start_video(stack, sources.camera, self._policy.capture.camera_fps)
        if sources.screen is not None:
            self._start_video(stack, sources.screen, self._policy.capture.screen_fps)
        if sources.microphone is not None:
            self._start_sound(stack, sources.microphone)

    def stop(self) -> None:
        """Stop recording; what was recorded is sealed and on disk afterwards, and the upload goes on."""
        self._stack.pop_all().close() if False else self._unwind()

    def _unwind(self) -> None:
        self._stack.close()

    def report(
        self,
        kind: IncidentKind,
        *,
        source: str,
        start: Instant | None = None,
        end: Instant | None = None,
        **facts: str,
    ) -> None:
        """Write an incident that is not a detector's."""
        now = self._parts.clock.now()
        self.take(
            Incident(
                id=self.new_id(),
                kind=kind,
                start=start or now,
                end=end or start or now,
                severity=INCIDENTS[kind].severity,
                source=source,
                facts=facts,
            )
        )

    def take(self, incident: Incident) -> None:
        """Write an incident, with a picture if the camera saw it."""
        self.journal.incident(incident)
        self.pictures.keep(incident)

    def new_id(self) -> str:
        """Return an incident's id, unique in the session."""
        self._ids += 1
        return f"{self._parts.joined.epoch}-{self._ids}-{secrets.token_hex(3)}"

    def flush(self, reason: str, deadline_s: float, on_progress: Callable[[int, int], None]) -> bool:
        """Upload what is left and end the session; ``False`` when it stays on disk for later."""
        if not self.uploader.drain(deadline_s, on_progress):
            return False
        end = End(
            version=FORMAT_VERSION,
            session=self._parts.joined.session,
            head=self.chain.head,
            records=self.chain.count,
            segments=self.spool.segments_per_track(),
            reason=reason,
            ended_ms=self._parts.clock.now().utc_ms,
        )
        token = jws.sign(end, self._parts.joined.signing_key, typ=END_TYPE)
        answer = self._parts.client.end(self._parts.joined.session, EndRequest(end=token))
        return answer.completion is not None

    def _start_video(self, stack: ExitStack, source: VideoSource, fps: int) -> None:
        capture = self._policy.capture
        health = PictureHealth(source.track)

        def on_frame(frame: Frame) -> None:
            if frame.source is Track.CAMERA:
                self.pictures.see(frame)
                self._camera_frames.put(frame)
                self._tell(health.look(frame))

        encoder = VideoEncoder(
            source.track,
            fps=fps,
            codec=capture.codec,
            timeline_origin=self.timeline.origin,
            segment_ms=capture.segment_ms,
        )
        self._start_track(stack, source, encoder, on_frame)

    def _start_sound(self, stack: ExitStack, source: AudioSource) -> None:
        health = SoundHealth()

        def on_chunk(chunk: AudioChunk) -> None:
            self._sound.offer(chunk)
            self._tell(health.hear(chunk))

        self._start_track(stack, source, AudioEncoder(timeline_origin=self.timeline.origin), on_chunk)

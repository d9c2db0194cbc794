"""The recording: the composition root of capture, detection, journal, spool and upload.

``Recording`` is built once a session is bound and its sources are chosen. Everything that must end is on one
``ExitStack``; stopping is its unwinding: sources, encoders, detectors, journal, then the upload.
"""

import logging
import platform
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from app.contract.agreement import described
from app.contract.errors import FairlockError
from app.contract.hints import Hint
from app.contract.incidents import IncidentKind, Track
from app.contract.journal import JOURNAL_MIME, PICTURES_MIME
from app.contract.live import MEDIA
from app.contract.times import Clock, Instant
from app.metered import Metering, NetworkManager
from app.recorder.backlog_hold import BacklogHold
from app.recorder.client import ServerClient
from app.recorder.control_times import ControlTimes
from app.recorder.detection import DetectionChoice
from app.recorder.easing import QualityWatch
from app.recorder.ending import end_session
from app.recorder.granting import Granted
from app.recorder.incidents import Incidents
from app.recorder.joining import JoinedSession
from app.recorder.journal import Journal
from app.recorder.live_detection import LiveDetection
from app.recorder.live_feed import FeedParts, LiveFeed
from app.recorder.metered_pause import MeteredPause
from app.recorder.options import RecorderOptions
from app.recorder.pictures import IncidentPictures
from app.recorder.self_hash_note import SelfHashNote
from app.recorder.sending import SendOnce
from app.recorder.sources import Sources
from app.recorder.timeline import Timeline
from app.recorder.tracks import STOP_DEADLINE_S, TrackParts, Tracks
from app.version import VERSION
from capture.chain import Chain
from capture.recovery import Recovered, recover
from capture.segmenter import Segmenter
from capture.spool import Spool, SpoolFull
from capture.track import TrackLost
from capture.uploader import Uploader, receipt_verifier

PLAIN_SEGMENT_MS = 5_000
LAST_WORD_BYTES = 16 * 1024
"""Room in the spool for a segment of the journal that holds one short entry."""

_log = logging.getLogger("fairlock.recorder")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingParts:
    """What a recording is made of. ``granted`` is what its candidate was; ``on_track_lost`` is called in the
    thread of the track or the journal, ``on_hint`` in that of detection. ``sends_only``: nobody is examined any more,
    and what lies there is sent.
    """

    joined: JoinedSession
    client: ServerClient
    sources: Sources
    detection: DetectionChoice
    clock: Clock
    options: RecorderOptions
    sends_only: bool = False
    granted: Granted = field(default_factory=Granted)
    metering: Metering = field(default_factory=NetworkManager)
    on_track_lost: Callable[[TrackLost], object] = lambda _error: None
    on_hint: Callable[[Hint], bool] = lambda _hint: False


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
        self.live = self._live_feed() if self._policy.capture.live_view else None
        self._recovered: Recovered = recover(self.spool, self.chain, self._clock)
        journal = self._segmenter(Track.JOURNAL, JOURNAL_MIME)
        self.journal = Journal(
            journal, self.timeline, self._clock, on_dead=self._journal_died, free_room=self._kept_room()
        )
        self._lost: TrackLost | None = None
        self.pictures = IncidentPictures(
            self._segmenter(Track.PICTURES, PICTURES_MIME),
            self.timeline,
            ControlTimes(f"{joined.session}/{joined.epoch}"),
            on_control=lambda name: self.journal.note(control_picture=name),
        )
        self.incidents = Incidents(
            self.journal,
            self.pictures,
            self._clock,
            granted=parts.granted,
            epoch=joined.epoch,
            on_full=lambda error: self._tracks.failed(Track.PICTURES, error),
        )
        self.uploader = Uploader(
            self.spool,
            parts.client if self.live is None else SendOnce(parts.client, self.live),
            receipt_verifier(joined.receipt_key),
            self._clock,
            on_error=self._upload_failed,
        )
        self.metered = MeteredPause(
            parts.metering,
            self.uploader,
            waiting_bytes=self.spool.pending_bytes,
            quota_bytes=self._policy.upload.quota_mib * 2**20,
            on_change=self._upload_held,
        )
        self.detection = LiveDetection(
            parts.detection.detectors,
            self._policy.detection,
            journal=self.journal,
            incidents=self.incidents,
            pictures=self.pictures,
            clock=self._clock,
            on_hint=parts.on_hint,
        )
        self._tracks = Tracks(self._track_parts())
        self._all_sealed = True
        self._stack = ExitStack()

    def head(self) -> tuple[bytes, int]:
        """Return the chain's head and its length, for heartbeats."""
        return self.chain.head, self.chain.count

    def start(self) -> None:
        """Start everything; returns once every track's threads run. Raises ``UserFacing`` when a source refuses."""
        self.journal.start()
        self._stack.callback(self.journal.stop)
        self._stack.callback(self.metered.stop)
        if self._policy.upload.pause_when_metered:
            self.metered.start()
        self.uploader.start()
        self._stack.callback(self.pictures.close)
        self._write_facts()
        self.detection.start()
        self._stack.callback(self.detection.stop)
        self._stack.callback(self._tracks.stop)
        self._tracks.start(self._parts.sources)
        if self.live is not None:
            self.live.start()
            self._stack.callback(self.live.stop)
        build = SelfHashNote(self.journal)
        build.start()
        self._stack.callback(build.stop)
        quality = QualityWatch(self._tracks, self.spool, self.incidents, self._clock)
        quality.start()
        self._stack.callback(quality.stop)

    def wait_for_first_fragments(self) -> None:
        """Wait until every track has something on disk: before that, nobody may say that it records."""
        self._tracks.wait_for_first_fragments()
        if self._lost is not None:
            raise self._lost

    def hurry(self) -> None:
        """Another recording is to begin: let ``stop`` wait less for slow encoders."""
        self._tracks.hurry()

    def stop(self) -> None:
        """Stop recording; what was recorded is on disk afterwards, and the upload goes on.

        What could not be sealed (a full disk) must not keep the rest from being sent: the next start recovers it.
        """
        try:
            self._stack.close()
        except Exception:  # noqa: BLE001  (the stack ends every part whatever one raises, and then the rest is sent)
            self._all_sealed = False
            _log.exception("not everything could be sealed")

    def flush(self, reason: str, deadline_s: float, on_progress: Callable[[int, int], None]) -> bool:
        """Upload what is left and end the session; ``False`` when it stays on disk for later."""
        return self.send_rest(deadline_s, on_progress) and self._end(reason)

    def send_rest(self, deadline_s: float, on_progress: Callable[[int, int], None]) -> bool:
        """Upload what is left, and leave the session open; whether the server has everything that was recorded."""
        drained = self.uploader.drain(deadline_s, on_progress)
        return drained and self._all_sealed and self._tracks.all_stopped and self.spool.totals().refused == 0

    def close(self) -> None:
        """Stop the upload and close files."""
        self.uploader.stop(STOP_DEADLINE_S)
        self.spool.close()
        self.chain.close()

    # --- starting ------------------------------------------------------------------------------------------------

    def _track_parts(self) -> TrackParts:
        return TrackParts(
            capture=self._policy.capture,
            clock=self._clock,
            timeline=self.timeline,
            journal=self.journal,
            incidents=self.incidents,
            new_segmenter=self._segmenter,
            on_frame=self.detection.see,
            on_chunk=self.detection.hear,
            on_lost=self._parts.on_track_lost,
            ends=self.chain.ends(),
            virtual_devices=self._policy.lockdown.virtual_devices,
        )

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
            on_written=self.live.take if self.live is not None and track in MEDIA else None,
        )

    def _kept_room(self) -> Callable[[], None]:
        """Keep room for the journal's last word; return what frees it."""
        try:
            self.spool.reserve(LAST_WORD_BYTES)
        except SpoolFull:  # what earlier epochs left fills it: this one may only send
            return lambda: None
        return lambda: self.spool.release(LAST_WORD_BYTES)

    def _live_feed(self) -> LiveFeed:
        session = self._parts.joined.session
        hold = BacklogHold(lambda: self.spool.totals().pending, self._clock)
        return LiveFeed(
            FeedParts(
                session=session,
                signing_key=self._parts.joined.signing_key,
                push=lambda pieces: self._parts.client.push_live(session, pieces),
                clock=self._clock,
                is_held=lambda: self.metered.holds or hold.holds(),
                on_end=self._live_ended,
                on_wait=self._live_waits,
                on_due=hold.came,
            )
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
            self.incidents.report(IncidentKind.DETECTION_DEGRADED, source=task, reason=refusal)
        if self._parts.joined.epoch > 0:
            self._write_recovered(str(self._parts.joined.epoch))

    def _write_recovered(self, epoch: str) -> None:
        """Say what an earlier epoch left; it is an incident only where somebody is examined."""
        segments, torn = str(len(self._recovered.segments)), str(self._recovered.torn_bytes)
        if self._parts.sends_only:
            self.journal.note(sends_only=epoch, recovered_segments=segments, torn_bytes=torn)
            return
        self.incidents.report(
            IncidentKind.COMPONENT_RESTARTED,
            source="recorder",
            epoch=epoch,
            recovered_segments=segments,
            torn_bytes=torn,
        )

    # --- what the threads say ------------------------------------------------------------------------------------

    def _journal_died(self, error: Exception) -> None:
        self._lost = TrackLost(f"The journal can't be written any more ({type(error).__name__}: {error}).")
        self._parts.on_track_lost(self._lost)

    def _upload_failed(self, error: FairlockError) -> None:
        self.journal.note(upload=error.code, reason=str(error))

    def _live_ended(self, error: FairlockError) -> None:
        self.journal.note(live_view="ended", code=error.code, reason=str(error))

    def _live_waits(self, error: FairlockError) -> None:
        self.journal.note(live_view="waits", code=error.code, reason=str(error))

    def _upload_held(self, held: bool, reason: str) -> None:
        self.journal.note(upload="held back" if held else "goes on", reason=reason)

    def _end(self, reason: str) -> bool:
        return end_session(self._parts.joined, self.chain, self._parts.client, self._clock, reason=reason)

"""The recorder's process: takes the shell's messages one after another and runs the session's recording side.

The main thread works through an inbox; threads of capture, detection, journal, heartbeat and upload are owned by
``Recording`` and ``HeartbeatLoop``. When the shell is gone, what is being recorded is sealed and uploaded as far as
``ORPHAN_DEADLINE_S`` allows; the rest stays on disk for the next start.
"""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

from app import messages as m
from app.channel import Channel
from app.clock import SystemClock
from app.contract.errors import FairlockError, Retryable
from app.contract.hints import Hint
from app.contract.incidents import Track
from app.contract.schema import dumps
from app.contract.session import SessionState
from app.contract.wire import ExamLink
from app.mailbox import Bounded, Closed
from app.metered import NetworkManager
from app.recorder.answering import Answers
from app.recorder.background import BackgroundUpload
from app.recorder.checks import CheckContext, check_picked, run_checks
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.finishing import finish
from app.recorder.granting import ON_BREAK, Granted
from app.recorder.heartbeat import HeartbeatLoop
from app.recorder.joining import JoinedSession, join, session_folder, start_timeline
from app.recorder.leftovers import send
from app.recorder.marks import mark_handed_in, mark_taken_up
from app.recorder.options import RecorderOptions
from app.recorder.ownership import owned
from app.recorder.previewing import Previews
from app.recorder.recording import Recording, RecordingParts
from app.recorder.sources import Sources, choose, devices
from app.recorder.states import StateLog
from app.recorder.time_left import TimeLeft
from capture.track import TrackLost

ORPHAN_DEADLINE_S = 15.0
LEFTOVERS_DEADLINE_S = 2.0
STATUS_S = 1.0
AFTER_EXAM = frozenset({SessionState.UNLOCKING, SessionState.FLUSHING})

_log = logging.getLogger("fairlock.recorder")


def main(connection: Connection, options: RecorderOptions) -> None:
    """Entry point of the spawned process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the shell's to handle, in order
    recorder = Recorder(Channel(connection, "recorder"), options)
    recorder.run()


class Recorder:
    """The recording side of one session."""

    def __init__(self, channel: Channel, options: RecorderOptions) -> None:
        self._channel = channel
        self._options = options
        self._clock = SystemClock()
        self._inbox: Bounded[object] = Bounded(256)
        self._states = StateLog(self._clock)
        self._detection = DetectionChoice()
        self._client: ServerClient | None = None
        self._folder: Path | None = None
        self._joined: JoinedSession | None = None
        self._sources = Sources()
        self._picked: dict[Track, str] = {}
        self._has_checked = False
        self._previews = Previews(self._channel.send, self._clock)
        self._granted = Granted()
        self._recording: Recording | None = None
        self._beats: HeartbeatLoop | None = None
        self._background: BackgroundUpload | None = None
        self._stopped = threading.Event()
        self._telling = threading.Lock()  # nothing is closed while its numbers are told
        self._is_finishing = False
        self._is_whole = False
        self._leaving = False
        self._ownership = ExitStack()
        self._cookie: str | None = None
        self._state = SessionState.CHECKING
        self._handlers: dict[type, Callable[..., None]] = {
            m.OpenLink: self._open_link,
            m.RunChecks: self._run_checks,
            m.PickDevice: self._pick_device,
            m.StartRecording: self._start_recording,
            m.CookieSeen: self._cookie_seen,
            m.Visited: self._visited,
            m.PageSound: self._page_sound,
            m.Report: self._report,
            m.StateIs: self._state_is,
            m.LockIs: self._lock_is,
            m.Finish: self._finish,
            TrackLost: self._track_lost,
        }

    def run(self) -> None:
        """Work until the shell is gone, or until only a new process can go on."""
        self._channel.start(self._arrived, self._inbox.close)
        status = threading.Thread(target=self._tell_status, name="status", daemon=True)
        status.start()
        try:
            while not self._leaving:
                message = self._inbox.take()
                if message is not None:
                    self._handle(message)
        except Closed:
            _log.info("the shell is gone")
        finally:
            self._stopped.set()
            self._abandon()
            if self._background is not None:
                self._background.end(LEFTOVERS_DEADLINE_S)
            self._ownership.close()
            self._channel.close()

    def _arrived(self, message: object) -> None:
        self._inbox.put(message)

    def _handle(self, message: object) -> None:
        handler = self._handlers.get(type(message))
        if handler is None:
            _log.error("no handler for %s", type(message).__name__)
            return
        try:
            handler(message)
        except FairlockError as error:
            _log.warning("%s: %s", error.code, error)
            self._failed(message, error)
        except Exception as error:  # noqa: BLE001  (process edge: the session must be told, whatever it was)
            _log.exception("handling %s", type(message).__name__)
            self._failed(message, FairlockError(f"{type(error).__name__}: {error}"))

    def _failed(self, message: object, error: FairlockError) -> None:
        if isinstance(message, m.Finish):
            self._channel.send(m.Flushed(complete=False, message=str(error)))
        elif isinstance(message, m.OpenLink | m.RunChecks | m.StartRecording):
            self._channel.send(m.Refused.of(error))

    # --- messages ------------------------------------------------------------------------------------------------

    def _open_link(self, message: m.OpenLink) -> None:
        link = ExamLink.parse(message.link)
        self._ownership.close()
        folder = session_folder(self._options.home, link)
        self._ownership.enter_context(owned(folder, self._clock))
        self._folder = folder  # known from here on, also where the server can't be reached
        self._client = client = ServerClient(link.server)
        joined = join(client, link, program_token=message.program_token, home=self._options.home, clock=self._clock)
        self._joined = joined
        if joined.agreement is not None:
            self._granted = Granted(joined.agreement.allowances)
        self._previews.stop()
        self._sources = choose(joined.policy, self._options, self._clock, self._picked)
        self._channel.send(
            m.Joined(
                session=joined.session,
                candidate=joined.saved.candidate,
                policy=dumps(joined.policy).decode(),
                entry_url=joined.entry_url,
                elapsed_ms=joined.elapsed_ms(self._clock),
                agreement=dumps(joined.agreement).decode() if joined.agreement is not None else "",
            )
        )
        self._send_leftovers(joined)

    def _send_leftovers(self, joined: JoinedSession) -> None:
        if self._background is None:
            home = self._options.home
            self._background = BackgroundUpload(home, joined.folder, self._clock, send=send, metering=NetworkManager())
            self._background.start()

    def _run_checks(self, _: m.RunChecks) -> None:
        self._previews.stop()
        for check in run_checks(self._check_context()):
            self._channel.send(check)
        self._channel.send(m.ChecksDone(sources=self._sources.origins(), models=self._detection.names))
        self._has_checked = True
        self._show_devices()

    def _pick_device(self, message: m.PickDevice) -> None:
        """Take another device, and look whether it works; while an exam is recorded nothing is exchanged."""
        joined, _ = self._need_session()
        if self._recording is not None:
            return
        self._previews.stop()
        self._picked[message.track] = message.name
        self._sources = choose(joined.policy, self._options, self._clock, self._picked)
        if not self._has_checked:  # a new process of an exam that runs is about to record, and nobody waits for checks
            return
        for check in check_picked(self._check_context(), message.track):
            self._channel.send(check)
        self._show_devices()

    def _check_context(self) -> CheckContext:
        joined, client = self._need_session()
        return CheckContext(
            policy=joined.policy,
            client=client,
            sources=self._sources,
            folder=joined.folder,
            detection=self._detection,
        )

    def _show_devices(self) -> None:
        self._channel.send(m.DevicesFound(devices=devices(self._sources)))
        self._previews.start(self._sources)

    def _start_recording(self, message: m.StartRecording) -> None:
        joined, client = self._need_session()
        self._previews.stop()
        if self._background is not None:
            self._background.give_way()
        self._joined = joined = start_timeline(joined, self._clock)
        mark_taken_up(joined.folder)
        self._detection.prepare(joined.policy.detection)
        self._recording = recording = Recording(
            RecordingParts(
                joined=joined,
                client=client,
                sources=self._sources,
                detection=self._detection,
                clock=self._clock,
                options=self._options,
                granted=self._granted,
                on_track_lost=self._inbox.offer,
                on_hint=self._hint,
            )
        )
        recording.start()
        if message.notice:
            recording.journal.notice(message.notice, joined.policy_digest)
        self._states.attach(recording.journal)
        for report in self._states.reports:
            recording.incidents.take_report(report)
        self._beats = Answers(recording, self._channel.send, self._send_status).loop(client, joined)
        self._beats.state, self._beats.cookie = self._state, self._cookie
        self._beats.start()
        recording.wait_for_first_fragments()
        self._is_whole = True
        self._channel.send(m.RecordingStarted())

    def _hint(self, hint: Hint) -> bool:
        """Hand on a hint, called in the detection thread; during a pause the exam's page is covered and shows none."""
        if self._state is not SessionState.RUNNING:
            return False
        self._channel.send(m.HintGiven(hint=hint))
        return True

    def _cookie_seen(self, message: m.CookieSeen) -> None:
        self._cookie = message.value
        if self._beats is not None:
            self._beats.confirm(message.value)

    def _visited(self, message: m.Visited) -> None:
        if self._recording is not None:  # the shell keeps them while nobody records
            left_out = {"left_out": str(message.left_out)} if message.left_out else {}
            self._recording.journal.note(visited=message.address, utc_ms=str(message.at.utc_ms), **left_out)

    def _page_sound(self, message: m.PageSound) -> None:
        if self._recording is not None:  # the shell says it again to a recording that has just begun
            self._recording.detection.page_sound(message.at, audible=message.audible)

    def _report(self, message: m.Report) -> None:
        if self._recording is None:
            self._states.keep_report(message)
            return
        self._recording.incidents.take_report(message)

    def _state_is(self, message: m.StateIs) -> None:
        self._states.note(message)
        self._state = message.state
        if message.state is SessionState.UNLOCKING:  # now: between here and ``Finish`` either process may die
            self._note_hand_in(message.why)
        if message.state is not SessionState.CHECKING:
            self._previews.stop()
        if message.why != m.EXAM_LOADED:  # a page that has loaded neither begins nor ends anything
            on_break = message.state is SessionState.PAUSED and message.why == ON_BREAK
            self._granted.break_is(on_break, self._recording.detection.part if self._recording is not None else None)
        if self._beats is not None:
            self._beats.state = message.state

    def _lock_is(self, message: m.LockIs) -> None:
        if self._recording is not None:  # the shell says it when all three are ready, and again to a new process
            self._recording.journal.lockdown(message)

    def _track_lost(self, error: TrackLost) -> None:
        """Leave, so that the shell starts a new process, which records every track again in the next epoch.

        Not when the recording never was whole, because then ``StartRecording`` is refused; and not once the exam is
        over, because then nothing more is recorded and this process still has to send it.
        """
        _log.error("%s", error)
        is_over = self._is_finishing or self._state in AFTER_EXAM
        self._leaving = self._is_whole and not is_over

    def _note_hand_in(self, reason: str) -> None:
        """Mark the session as handed in, if ``reason`` ends it for good."""
        if self._folder is not None and reason in m.ENDS_SESSION:
            mark_handed_in(self._folder)

    def _finish(self, message: m.Finish) -> None:
        self._note_hand_in(message.reason)  # first: what was recorded before may be here though joining again failed
        joined, _ = self._need_session()
        self._is_finishing = True
        try:
            complete, text = self._finished(joined, message.reason)
        finally:  # also where ending it failed, which leaves the rest on the disk
            self._end_heartbeats()
            if self._background is not None:
                self._background.start()
            if self._recording is not None:
                self._close(self._recording)
        self._channel.send(m.Flushed(complete=complete, message=text))

    def _finished(self, joined: JoinedSession, reason: str) -> tuple[bool, str]:
        """Return whether the server has everything, and that in words."""
        if self._recording is None and not joined.saved.origin_mono_ns:
            return True, "Nothing was recorded."
        recording = self._recording = self._recording or self._reopened()
        deadline_s = joined.policy.upload.deadline_s
        if finish(recording, joined.folder, reason, deadline_s=deadline_s, on_progress=self._progress_teller()):
            return True, "Everything was received."
        return False, "The rest stays here, sealed, and is sent later."

    def _progress_teller(self) -> Callable[[int, int], None]:
        time_left = TimeLeft(self._clock)

        def tell(sent: int, total: int) -> None:
            left_s = time_left.estimate(sent, total)
            self._channel.send(m.FlushProgress(sent_bytes=sent, total_bytes=total, left_s=left_s))

        return tell

    def _reopened(self) -> Recording:
        """Take up what an earlier epoch left on disk: it is sent and ended, and nothing more is recorded."""
        joined, client = self._need_session()
        recording = Recording(
            RecordingParts(
                joined=joined,
                client=client,
                sources=Sources(),
                detection=self._detection,
                clock=self._clock,
                options=self._options,
            )
        )
        recording.start()
        return recording

    # --- threads -------------------------------------------------------------------------------------------------

    def _tell_status(self) -> None:
        while not self._stopped.wait(STATUS_S):
            self._send_status()

    def _send_status(self) -> None:
        with self._telling:
            recording, beats = self._recording, self._beats
            if recording is None or beats is None:
                return
            sent, total = recording.uploader.progress()
            status = m.Status(
                online=bool(beats.online),
                frozen=beats.frozen,
                pending_bytes=max(0, total - sent),
                segments=recording.chain.count,
                incidents=recording.journal.incidents,
                held_back=recording.metered.holds,
            )
        self._channel.send(status)

    def _close(self, recording: Recording) -> None:
        """Close its files, while no thread looks into them to tell how far it is."""
        with self._telling:
            self._recording = None
            recording.close()

    # --- the end -------------------------------------------------------------------------------------------------

    def _abandon(self) -> None:
        """Seal, send what can be sent soon (if the shell is gone), keep the rest on disk.

        Nobody said that the exam is over, so the session stays open: it can be taken up again.
        """
        recording = self._recording
        self._previews.stop()
        self._end_heartbeats()  # first, so that a program started anew is not taken for a second one
        if recording is None:
            return
        try:
            recording.stop()
            if self._leaving:
                _log.info("what was not sent is left to the next process")
            else:
                recording.send_rest(ORPHAN_DEADLINE_S, lambda _sent, _total: None)
        except (FairlockError, OSError):
            _log.exception("what was not sent stays on disk")
        finally:
            self._close(recording)

    def _end_heartbeats(self) -> None:
        if self._beats is not None:
            self._beats.stop()

    def _need_session(self) -> tuple[JoinedSession, ServerClient]:
        if self._joined is None or self._client is None:
            raise Retryable("the session was not joined yet")
        return self._joined, self._client

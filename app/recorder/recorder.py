"""What the recorder does with each of the shell's messages, and with a lost track: the recording side of one session.

Runs in the recorder's main thread and asks its parts: the session at hand, the devices chosen, the recording under way.
Their threads are theirs; while ``close`` runs in another, what the shell says is only heard out. Never takes a message
by itself (``app.recorder.process`` does), never imports Qt.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

from app import messages as m
from app.clock import SystemClock
from app.contract.errors import FairlockError
from app.contract.schema import dumps
from app.contract.session import SessionState
from app.contract.wire import ExamLink, Spent
from app.recorder.detection import DetectionChoice
from app.recorder.device_choice import DeviceChoice
from app.recorder.finishing import abandon, finish, progress_teller
from app.recorder.granting import ON_BREAK, Granted
from app.recorder.joining import JoinedSession
from app.recorder.options import RecorderOptions
from app.recorder.recording import Recording, RecordingParts
from app.recorder.session_at_hand import SessionAtHand
from app.recorder.sources import Sources
from app.recorder.under_way import UnderWay
from capture.track import TrackLost

AFTER_EXAM = frozenset({SessionState.UNLOCKING, SessionState.FLUSHING})

_log = logging.getLogger("fairlock.recorder")


class Recorder:
    """``send`` takes messages for the shell; ``on_track_lost`` is called in the track's thread, and is to bring the
    error to ``handle``. ``leaving``: only a new process can go on; ``may_leave``: the shell knows.
    """

    def __init__(
        self,
        send: Callable[[object], object],
        options: RecorderOptions,
        *,
        on_track_lost: Callable[[TrackLost], object] = lambda _error: None,
    ) -> None:
        self.leaving = self.may_leave = False
        self._send, self._options, self._on_track_lost = send, options, on_track_lost
        self._clock = SystemClock()
        self._detection = DetectionChoice()
        self._session = SessionAtHand(options.home, self._clock)
        self._devices = DeviceChoice(self._session, self._detection, options, self._clock, send)
        self._under_way = UnderWay(send, self._clock)
        self._granted = Granted()
        self._is_finishing = False
        self._is_whole = False
        self._handlers: dict[type, Callable[..., None]] = {
            m.OpenLink: self._open_link,
            m.RunChecks: lambda _: self._devices.check(),
            m.PickDevice: self._pick_device,
            m.StartRecording: self._start_recording,
            m.CookieSeen: self._under_way.cookie_seen,
            m.Visited: self._under_way.visited,
            m.PageSound: self._under_way.page_sounds,
            m.Report: self._under_way.reported,
            m.StateIs: self._state_is,
            m.BreaksAre: self._breaks_are,
            m.CodesTried: self._codes_tried,
            m.LockIs: self._under_way.lock_is,
            m.Finish: self._finish,
            m.MayLeave: self._may_leave,
            TrackLost: self._track_lost,
        }
        self._last_handlers: dict[type, Callable[..., None]] = {
            m.Report: self._under_way.reported,
            m.StateIs: self._state_was,
            m.BreaksAre: self._breaks_are,
            m.CodesTried: self._codes_tried,
            m.Finish: lambda finish: self._session.note_hand_in(finish.reason),
        }

    def start(self) -> None:
        """Tell the shell every second how far the recording is, once there is one."""
        self._under_way.start_telling()

    def handle(self, message: object) -> None:
        """Do what ``message`` asks for; what fails is told to the shell if it waits for an answer."""
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

    def hear_out(self, message: object) -> None:
        """Take what the shell says while ``close`` runs in another thread: a hand-in is marked up to the very end.

        The journal takes it for as long as it is open. The next process is told again how the session stands.
        """
        try:
            handler = self._last_handlers.get(type(message))
            if handler is not None:
                handler(message)
        except Exception:  # noqa: BLE001  (process edge: one message must not keep the next from being heard)
            _log.exception("hearing out %s", type(message).__name__)

    def close(self) -> None:
        """Take everything down, without the shell: what is being recorded is sealed and sent as far as time allows."""
        self._under_way.stop_telling()
        self._devices.let_go()
        self._under_way.end_heartbeats()  # first, so that a program started anew is not taken for a second one
        if self._under_way.recording is not None:
            try:
                abandon(self._under_way.recording, for_next_process=self.leaving)
            finally:
                self._under_way.close()
        self._session.close()

    def _failed(self, message: object, error: FairlockError) -> None:
        if isinstance(message, m.Finish):
            self._send(m.Flushed(complete=False, message=str(error)))
        elif isinstance(message, m.OpenLink | m.RunChecks | m.StartRecording):
            self._send(m.Refused.of(error))

    # --- before it records ---------------------------------------------------------------------------------------

    def _open_link(self, message: m.OpenLink) -> None:
        joined = self._session.open(ExamLink.parse(message.link), message.program_token)
        if joined.agreement is not None:
            self._granted = Granted(joined.agreement.allowances)
        self._devices.choose(joined.policy)
        carried = self._session.spent.carried_over if self._session.spent is not None else Spent()
        self._send(
            m.Joined(
                session=joined.session,
                candidate=joined.saved.candidate,
                policy=dumps(joined.policy).decode(),
                entry_url=joined.entry_url,
                elapsed_ms=joined.elapsed_ms(self._clock),
                agreement=dumps(joined.agreement).decode() if joined.agreement is not None else "",
                breaks_ms=carried.breaks_ms,
                tries=carried.tries,
            )
        )
        self._session.send_leftovers()

    def _pick_device(self, message: m.PickDevice) -> None:
        if self._under_way.recording is None:  # while an exam is recorded nothing is exchanged
            self._devices.pick(message.track, message.name)

    def _start_recording(self, message: m.StartRecording) -> None:
        self._devices.let_go()
        self._session.take_up()
        joined, _ = self._session.need()
        self._detection.prepare(joined.policy.detection)
        parts = replace(
            self._parts(), sources=self._devices.sources, granted=self._granted, on_track_lost=self._on_track_lost
        )
        self._under_way.begin(parts, message.notice, self._session.spent)
        self._is_whole = True
        self._send(m.RecordingStarted())

    def _parts(self) -> RecordingParts:
        """Return what a recording of the session at hand is made of that only sends."""
        joined, client = self._session.need()
        return RecordingParts(
            joined=joined,
            client=client,
            sources=Sources(),
            detection=self._detection,
            clock=self._clock,
            options=self._options,
        )

    # --- while it records ----------------------------------------------------------------------------------------

    def _state_is(self, message: m.StateIs) -> None:
        self._state_was(message)
        if message.state is not SessionState.CHECKING:
            self._devices.let_go()
        if message.why != m.EXAM_LOADED:  # a page that has loaded neither begins nor ends anything
            on_break = message.state is SessionState.PAUSED and message.why == ON_BREAK
            recording = self._under_way.recording
            self._granted.break_is(on_break, recording.detection.part if recording is not None else None)

    def _state_was(self, message: m.StateIs) -> None:
        if message.state is SessionState.UNLOCKING:  # now: between here and ``Finish`` either process may die
            self._session.note_hand_in(message.why)
        self._under_way.state_is(message)  # afterwards, for a journal that has died takes nothing

    def _breaks_are(self, message: m.BreaksAre) -> None:
        if self._session.spent is not None:
            self._session.spent.breaks_are(message.spent_ms, lasting=message.lasting)
            self._under_way.tell_server()

    def _codes_tried(self, message: m.CodesTried) -> None:
        if self._session.spent is not None:
            self._session.spent.codes_tried(message.number)
            self._under_way.tell_server()

    def _track_lost(self, error: TrackLost) -> None:
        """Leave, so that the shell starts a new process, which records every track again in the next epoch.

        Not when the recording never was whole, because then ``StartRecording`` is refused; and not once the exam is
        over, because then nothing more is recorded and this process still has to send it.
        """
        _log.error("%s", error)
        is_over = self._is_finishing or self._under_way.state in AFTER_EXAM
        if self._is_whole and not is_over and not self.leaving:
            self.leaving = True
            self._send(m.Leaving())

    def _may_leave(self, _message: m.MayLeave) -> None:
        self.may_leave = True

    # --- the end -------------------------------------------------------------------------------------------------

    def _finish(self, message: m.Finish) -> None:
        self._session.note_hand_in(message.reason)  # first: what was recorded may be here though joining again failed
        joined, _ = self._session.need()
        self._is_finishing = True
        try:
            complete, text = self._finished(joined, message.reason)
        finally:  # also where ending it failed, which leaves the rest on the disk
            self._under_way.end_heartbeats()
            self._session.go_on_with_leftovers()
            self._under_way.close()
        self._send(m.Flushed(complete=complete, message=text))

    def _finished(self, joined: JoinedSession, reason: str) -> tuple[bool, str]:
        """Return whether the server has everything, and that in words."""
        if self._under_way.recording is None and not joined.saved.origin_mono_ns:
            return True, "Nothing was recorded."
        recording = self._under_way.recording = self._under_way.recording or self._reopened()
        progress = progress_teller(self._send, self._clock)
        deadline_s = joined.policy.upload.deadline_s
        if finish(recording, joined.folder, reason, deadline_s=deadline_s, on_progress=progress):
            return True, "Everything was received."
        return False, "The rest stays here, sealed, and is sent later."

    def _reopened(self) -> Recording:
        """Take up what an earlier epoch left on disk: it is sent and ended, and nothing more is recorded."""
        recording = Recording(self._parts())
        recording.start()
        return recording

"""The recorder as the controller sees it: orders out, answers in, and a crash that the exam survives.

GUI thread. A restarted recorder joins again with the same program token, continues the session in a new epoch and
records at once if the session is past its start.
"""

from collections import deque
from typing import Protocol

from PySide6.QtCore import QTimer

from app import messages as m
from app.contract import schema
from app.contract.actions import Action, ActionKind
from app.contract.agreement import Agreement
from app.contract.errors import IntegrityError
from app.contract.hints import HINTS, Hint
from app.contract.incidents import IncidentKind, Track
from app.contract.policy import Policy
from app.contract.session import Event, SessionState
from app.contract.times import Instant
from app.shell import refusals, text
from app.shell.controller import Controller

_S = SessionState
RECORDING_STATES = frozenset({_S.LOCKING, _S.RUNNING, _S.PAUSED})
ENDING_STATES = frozenset({_S.UNLOCKING, _S.FLUSHING})
PASSING_TROUBLES = frozenset({"E-ANSWER", "E-BUSY", "E-RETRY", "E-SERVER-UNREACHABLE", "E-STORAGE"})
"""What is no reason to end an exam that runs: the server is away, overloaded, or hidden by the network."""
REJOIN_MS = 3_000
MOST_ACTIONS = 1_000
"""Ids of actions kept: a new recorder is given the session's actions once more."""


class Peer(Protocol):
    """One of the other processes."""

    def send(self, message: object) -> None:
        """Send ``message``; never blocks."""
        ...


class RecorderSide:
    """``link`` is the exam link, ``program_token`` this launch's 32 random bytes."""

    def __init__(self, controller: Controller, peer: Peer, *, link: str, program_token: bytes) -> None:
        self._controller = controller
        self._peer = peer
        self._link = link
        self._program_token = program_token
        self._cookie: str | None = None
        self._picked: dict[Track, str] = {}
        self._page_is_audible = False
        self._lost_since: Instant | None = None
        self._is_lost = self._is_leaving = False
        self._done_actions: deque[str] = deque(maxlen=MOST_ACTIONS)
        self._rejoin = QTimer(controller)
        self._rejoin.setSingleShot(True)
        self._rejoin.setInterval(REJOIN_MS)
        self._rejoin.timeout.connect(self._join_again)

    # --- orders ------------------------------------------------------------------------------------------------

    def join(self) -> None:
        """Join the exam of the link."""
        self._peer.send(m.OpenLink(link=self._link, program_token=self._program_token))

    def run_checks(self) -> None:
        """Check devices, disk and server."""
        self._peer.send(m.RunChecks())

    def pick_device(self, track: Track, name: str) -> None:
        """Record ``track`` from the device called ``name``."""
        self._picked[track] = name
        self._peer.send(m.PickDevice(track=track, name=name))

    def record(self) -> None:
        """Record from now on."""
        self._peer.send(m.StartRecording(notice=self._controller.course.notice))

    def finish(self, reason: str) -> None:
        """Stop, send the rest, end the session."""
        if self._is_lost:
            # It died after the exam; what it had sealed is on disk, and nothing more is to be recorded.
            self._controller.course.complete = False
            self._controller.course.hand_in_noted = False  # perhaps it died before it wrote that down
            self._controller.session.happen(Event.DEFERRED)
            return
        self._peer.send(m.Finish(reason=reason))

    def tell_state(self, state: SessionState, why: str) -> None:
        """Say where the session stands."""
        self._peer.send(m.StateIs(state=state, why=why))

    def tell_breaks(self, spent_s: float, *, lasting: bool) -> None:
        """Say how much of the breaks is used up, and whether one lasts, before it does."""
        self._peer.send(m.BreaksAre(spent_ms=round(spent_s * 1000), lasting=lasting))

    def tell_tries(self, tries: int) -> None:
        """Say how many quit codes were tried."""
        self._peer.send(m.CodesTried(number=tries))

    def tell_cookie(self, value: str) -> None:
        """Hand over the newest cookie token."""
        self._cookie = value
        self._peer.send(m.CookieSeen(value=value))

    def tell_page_sound(self, audible: bool) -> None:
        """Say that the exam page plays sound, or no longer does."""
        self._page_is_audible = audible
        self._peer.send(m.PageSound(audible=audible, at=self._controller.clock.now()))

    def tell_lock(self, lock: m.LockIs) -> None:
        """Say how well this computer is locked."""
        self._peer.send(lock)

    # --- answers -----------------------------------------------------------------------------------------------

    def receive(self, message: object) -> None:
        """Take one message."""
        match message:
            case m.Joined():
                self._joined(message)
            case m.Refused():
                self._refused(message)
            case m.Check():
                self._controller.preparation.add(message)
            case m.ChecksDone():
                self._controller.course.sources = message.sources
                self._controller.course.models = message.models
                self._controller.preparation.recorder_done()
            case m.DevicesFound():
                self._controller.preparation.devices_found(message)
            case m.Preview():
                self._controller.preparation.previewed(message)
            case m.RecordingStarted():
                self._started()
            case m.Status():
                self._status(message)
            case m.HintGiven():
                self._hint(message.hint)
            case m.ActionArrived():
                self._act(message.action)
            case m.Leaving():
                self._leaves()
            case m.FlushProgress() | m.Flushed():
                self._flushes(message)

    def _joined(self, joined: m.Joined) -> None:
        controller = self._controller
        try:
            policy = schema.loads(Policy, joined.policy.encode())
            agreement = schema.loads(Agreement, joined.agreement.encode()) if joined.agreement else None
        except IntegrityError:
            controller.session.fail(Event.REFUSED, text.POLICY_UNREADABLE)
            return
        if controller.course.policy is None:
            controller.course.policy = policy
            controller.course.agreement = agreement
        controller.course.joined = joined
        controller.stage.renew_entry(joined.entry_url)
        state = controller.session.state
        if state is _S.JOINING:
            controller.session.happen(Event.POLICY_VERIFIED)
        elif self._lost_since is not None:
            # Before it records: without the cookie its first heartbeat would freeze the exam.
            if self._cookie is not None:
                self.tell_cookie(self._cookie)
            controller.tell_spent()
            # A pause keeps its reason: what is seen during a break is by agreement, whoever records it.
            self.tell_state(state, controller.sitting.paused_for if state is _S.PAUSED else "recorder restarted")
            for track, name in self._picked.items():
                self._peer.send(m.PickDevice(track=track, name=name))
            if state is _S.CHECKING:
                controller.run_checks()
            elif state in RECORDING_STATES:
                self.record()

    def _refused(self, refused: m.Refused) -> None:
        sentence = refusals.sentence(refused)
        state = self._controller.session.state
        if state in RECORDING_STATES and self._lost_since is not None and refused.code in PASSING_TROUBLES:
            self._rejoin.start()  # the bar goes on saying that the recording restarts
        elif state in RECORDING_STATES:
            self._controller.session.fail(Event.FAILED if state is _S.LOCKING else Event.FATAL, sentence)
        else:
            self._controller.session.fail(Event.REFUSED, sentence)

    def _started(self) -> None:
        controller = self._controller
        controller.reports.open(self._peer.send)
        if self._page_is_audible:
            self.tell_page_sound(audible=True)
        if self._lost_since is not None:
            since, self._lost_since = self._lost_since, None
            controller.reports.note(IncidentKind.COMPONENT_RESTARTED, {"component": "recorder"}, since=since)
            controller.engagement.tell_lock()
        self._show_recording(on=True)
        controller.engagement.lock.recording = True
        controller.engagement.lock_changed()

    def _status(self, status: m.Status) -> None:
        controller = self._controller
        exam = controller.stage.exam
        if exam is not None:
            exam.bar.show_network(online=status.online, pending_bytes=status.pending_bytes, held_back=status.held_back)
        if status.frozen:
            if controller.session.state in (_S.RUNNING, _S.PAUSED):
                controller.sitting.pause("frozen")
        else:
            controller.sitting.go_on("frozen")

    def _hint(self, hint: Hint) -> None:
        exam = self._controller.stage.exam
        if exam is not None and self._controller.session.state is _S.RUNNING:
            exam.show_hint(HINTS[hint])

    def _flushes(self, message: m.FlushProgress | m.Flushed) -> None:
        if isinstance(message, m.FlushProgress):
            self._controller.stage.show_progress(message.sent_bytes, message.total_bytes, message.left_s)
            return
        self._controller.course.complete = message.complete
        self._controller.session.happen(Event.FLUSHED if message.complete else Event.DEFERRED)

    def _join_again(self) -> None:
        if self._controller.session.state in RECORDING_STATES:
            self.join()

    def _act(self, action: Action) -> None:
        if action.id in self._done_actions:
            return
        self._done_actions.append(action.id)
        words = action.arguments.get("text", "") or action.arguments.get("reason", "")
        controller = self._controller
        match action.kind:
            case ActionKind.MESSAGE:
                controller.stage.show_message(action.issuer, words)
            case ActionKind.PAUSE:
                controller.sitting.pause("pause", words)
            case ActionKind.RESUME:
                controller.sitting.go_on("pause")
            case ActionKind.THAW:
                controller.sitting.go_on("frozen")
            case ActionKind.TERMINATE:
                sentence = text.TERMINATED_BY.format(name=action.issuer)
                controller.session.fail(Event.TERMINATE, f"{sentence} {words}".strip())

    # --- loss --------------------------------------------------------------------------------------------------

    def _leaves(self) -> None:
        """The process ends as soon as all is sealed: what is reported from now on is the next one's to write.

        States are told to it all the same, for it marks the session if this is when it is handed in.
        """
        self._is_leaving = True
        self._stop_counting_on_it()
        self._peer.send(m.MayLeave())

    def lost(self) -> None:
        """The process is gone; a new one comes, unless it went too often."""
        self._stop_counting_on_it()
        if self._is_leaving:
            return  # in order: the next one goes on, also with what ended meanwhile
        state = self._controller.session.state
        if state in ENDING_STATES:
            self._is_lost = True
        if state is _S.FLUSHING:
            self.finish("")

    def _stop_counting_on_it(self) -> None:
        controller = self._controller
        self._rejoin.stop()
        controller.reports.hold()
        controller.engagement.lock.recording = False
        if self._lost_since is None:
            self._lost_since = controller.clock.now()
        self._show_recording(on=False)

    def restarted(self, peer: Peer) -> None:
        """Here is the new process."""
        self._peer, self._is_leaving = peer, False
        state = self._controller.session.state
        if self._is_lost or state is _S.ENDED:
            return
        self.join()
        if state in ENDING_STATES:  # the exam ended while no process was there to be told
            self.tell_state(_S.UNLOCKING, self._controller.course.ended_by)
        if state is _S.FLUSHING:
            self.finish(self._controller.course.ended_by)

    def given_up(self) -> None:
        """It went too often: no exam without a recording."""
        self._is_lost = True
        state = self._controller.session.state
        if state is _S.FLUSHING:  # the next one was to send, and there is none
            self.finish("")
        event = Event.FATAL if state in (_S.RUNNING, _S.PAUSED) else Event.FAILED
        self._controller.session.fail(event, text.RECORDER_GONE)

    def _show_recording(self, *, on: bool) -> None:
        exam = self._controller.stage.exam
        if exam is not None:
            exam.bar.show_recording(on)

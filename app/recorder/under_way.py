"""The recording under way and its heartbeats: begun, given what the shell says of the exam, told about, closed.

Used by the recorder's main thread; the thread ``status`` tells the shell every second how far it is, and the thread
``heartbeat`` at once what the server changed. Decides neither when a recording begins nor how it ends
(``app.recorder.finishing``).
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from app import messages as m
from app.contract.hints import Hint
from app.contract.session import SessionState
from app.contract.times import Clock
from app.contract.wire import Spent
from app.recorder.answering import Answers
from app.recorder.heartbeat import HeartbeatLoop
from app.recorder.recording import Recording, RecordingParts
from app.recorder.spent import SpentHere
from app.recorder.states import StateLog

STATUS_S = 1.0

_log = logging.getLogger("fairlock.recorder")


class UnderWay:
    """``recording`` is there from its start until it is closed, ``state`` is where the session stands by the shell's
    last word; ``send`` takes messages for the shell.
    """

    def __init__(self, send: Callable[[object], object], clock: Clock) -> None:
        self.recording: Recording | None = None
        self.state = SessionState.CHECKING
        self._send = send
        self._states = StateLog(clock)
        self._beats: HeartbeatLoop | None = None
        self._cookie: str | None = None
        self._stopped = threading.Event()
        self._telling = threading.Lock()  # nothing is closed while its numbers are told

    def start_telling(self) -> None:
        """Tell the shell every second how the recording stands, once there is one."""
        threading.Thread(target=self._tell_status, name="status", daemon=True).start()

    def stop_telling(self) -> None:
        """Tell nothing more every second."""
        self._stopped.set()

    def begin(self, parts: RecordingParts, notice: str, spent: SpentHere | None = None) -> None:
        """Record; returns once every track has something on disk. ``notice`` are the words that were acknowledged.

        ``spent`` is what the session used up: what of it came from before a restart, the journal says.

        Raises what ``Recording`` raises; what has started by then is still there to be ended.
        """
        self.recording = recording = Recording(replace(parts, on_hint=self._hint))
        recording.start()
        if notice:
            recording.journal.notice(notice, parts.joined.policy_digest)
        if spent is not None and spent.facts():
            recording.journal.note(**spent.facts())
        self._states.attach(recording.journal)
        for report in self._states.reports:
            recording.incidents.take_report(report)
        self._beats = Answers(recording, self._send, self._send_status).loop(
            parts.client, parts.joined, spent.told if spent is not None else Spent
        )
        self._beats.state, self._beats.cookie = self.state, self._cookie
        self._beats.start()
        recording.wait_for_first_fragments()

    def end_heartbeats(self) -> None:
        """Tell the server nothing more."""
        if self._beats is not None:
            self._beats.stop()

    def tell_server(self) -> None:
        """Send the next heartbeat at once."""
        if self._beats is not None:
            self._beats.hurry()

    def close(self) -> None:
        """Close the recording's files, while no thread looks into them to tell how far it is."""
        recording = self.recording
        if recording is None:
            return
        with self._telling:
            self.recording = None
            recording.close()

    # --- what the shell says of the exam -------------------------------------------------------------------------

    def state_is(self, message: m.StateIs) -> None:
        """The session has reached a state: for the journal, and for the next heartbeat."""
        self._states.note(message)
        self.state = message.state
        if self._beats is not None:
            self._beats.state = message.state

    def cookie_seen(self, message: m.CookieSeen) -> None:
        """The exam page was given another cookie, which the next heartbeat confirms."""
        self._cookie = message.value
        if self._beats is not None:
            self._beats.confirm(message.value)

    def reported(self, message: m.Report) -> None:
        """Somebody saw an incident."""
        recording = self.recording  # which another thread may be about to close
        if recording is None:
            self._states.keep_report(message)
        else:
            recording.incidents.take_report(message)

    def visited(self, message: m.Visited) -> None:
        """The exam page shows another address."""
        if self.recording is not None:  # the shell keeps them while nobody records
            left_out = {"left_out": str(message.left_out)} if message.left_out else {}
            self.recording.journal.note(visited=message.address, utc_ms=str(message.at.utc_ms), **left_out)

    def page_sounds(self, message: m.PageSound) -> None:
        """The exam page plays sound, or no longer does."""
        if self.recording is not None:  # the shell says it again to a recording that has just begun
            self.recording.detection.page_sound(message.at, audible=message.audible)

    def lock_is(self, message: m.LockIs) -> None:
        """So well is this computer locked."""
        if self.recording is not None:  # the shell says it when all three are ready, and again to a new process
            self.recording.journal.lockdown(message)

    # --- what the shell is told ----------------------------------------------------------------------------------

    def _hint(self, hint: Hint) -> bool:
        """Hand on a hint, called in the detection thread; during a pause the exam's page is covered and shows none."""
        if self.state is not SessionState.RUNNING:
            return False
        self._send(m.HintGiven(hint=hint))
        return True

    def _tell_status(self) -> None:
        while not self._stopped.wait(STATUS_S):
            try:
                self._send_status()
            except Exception as error:  # noqa: BLE001  (the thread's main: what can't be read now can be the next time)
                _log.warning("how far the recording is can't be told now: %r", error)

    def _send_status(self) -> None:
        with self._telling:
            recording, beats = self.recording, self._beats
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
        self._send(status)

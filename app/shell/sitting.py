"""The exam as the candidate sits it: its page opened, covered while anything holds it up, uncovered and closed.

GUI thread. Owns why the exam is covered, the agreed breaks, and with them when the exam's time stands still. Whether a
reason covers the exam or ends it is the state machine's to decide (``app.shell.session``).
"""

from PySide6.QtCore import QObject, QTimer

from app.contract.errors import FairlockError
from app.contract.session import Event, SessionState
from app.contract.times import Clock
from app.messages import EXAM_LOADED, Refused
from app.shell import refusals, text
from app.shell.breaks import BREAK, BREAK_OVER, Breaks
from app.shell.course import Course
from app.shell.doors import RecorderDoor
from app.shell.pauses import EVENTS, Pauses
from app.shell.session import Session
from app.shell.stage import Exam, Stage
from app.shell.timekeeper import Timekeeper

_S = SessionState


class Sitting(QObject):
    """``time`` is begun, held and stopped here; whoever listens to it hears when it is up."""

    def __init__(self, stage: Stage, clock: Clock, session: Session, course: Course, time: Timekeeper) -> None:
        super().__init__()
        self._stage = stage
        self._clock = clock
        self._session = session
        self._course = course
        self._time = time
        self._pauses = Pauses()
        self._breaks = Breaks(clock, None)
        self._break_limit = QTimer(self)
        self._break_limit.setSingleShot(True)
        self._break_limit.timeout.connect(self._break_is_over)

    def attach(self, recorder: RecorderDoor) -> None:
        """Use this one from now on."""
        self._recorder = recorder

    def allow(self) -> None:
        """Take the time and the breaks that policy and agreement allow, less what was used before a restart."""
        policy, joined = self._course.known_policy(), self._course.joined
        used_s, spent_s = (joined.elapsed_ms / 1000, joined.breaks_ms / 1000) if joined is not None else (0.0, 0.0)
        self._time.allow(policy.duration_s, used_s=used_s, expires_ms=policy.expires_ms)
        self._breaks = Breaks(self._clock, self._course.agreement, spent_s=spent_s)
        self.tell_breaks()

    # --- effects -----------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Open the exam, or uncover it."""
        self._time.countdown.go_on()
        if self._stage.tab is not None:
            self._stage.uncover_exam()
            return
        try:
            self._stage.open_exam(self._exam())
        except FairlockError as error:
            self._session.fail(Event.FATAL, refusals.sentence(Refused.of(error)))
            return
        self._time.begin()
        first = self._pauses.first
        if first is not None:  # an examiner paused it while it was being locked
            self._session.happen(EVENTS[first[0]])

    def cover(self) -> None:
        """Cover the exam for the first of the reasons."""
        first = self._pauses.first
        if first is None:
            return
        if self._pauses.stops_time:
            self._time.countdown.hold()
        else:
            self._time.countdown.go_on()
        self._stage.cover_exam(*first)

    def close(self) -> None:
        """Take the exam down, for good."""
        self._break_limit.stop()
        self._time.stop()
        self._stage.close_exam()

    def _exam(self) -> Exam:
        joined = self._course.joined
        assert joined is not None  # noqa: S101  (no state after JOINING is reached without it)
        return Exam(
            policy=self._course.known_policy(),
            candidate=joined.candidate,
            entry_url=joined.entry_url,
            sources=self._course.sources,
            breaks=self._breaks.are_granted,
        )

    # --- what holds it up --------------------------------------------------------------------------------------

    @property
    def paused_for(self) -> str:
        """Why the exam is covered, as the recorder is told; empty if nothing covers it."""
        return self._pauses.why

    def pause(self, reason: str, words: str = "") -> None:
        """Cover the exam for ``reason`` (see ``app.shell.pauses``)."""
        self._pauses.add(reason, words)
        if self._session.state is _S.RUNNING:
            self._session.happen(EVENTS[reason], reason)
        elif self._session.state is _S.PAUSED:
            self._stay_covered()

    def go_on(self, reason: str) -> None:
        """``reason`` no longer holds; the exam comes back if it was the last one."""
        if not self._pauses.remove(reason) or self._session.state is not _S.PAUSED:
            return
        if self._pauses.first is None:
            self._session.happen(Event.RESUME)
        else:
            self._stay_covered()

    def _stay_covered(self) -> None:
        """The exam stays covered, for another reason than before."""
        self.cover()
        self._recorder.tell_state(self._session.state, self.paused_for)

    # --- what page and candidate do ----------------------------------------------------------------------------

    def loaded(self) -> None:
        """The exam's page is there."""
        if not self._course.exam_seen:
            self._course.exam_seen = True
            self._recorder.tell_state(self._session.state, EXAM_LOADED)

    def begin_break(self) -> None:
        """The candidate takes a break, if one is left."""
        if self._session.state is _S.RUNNING and self._breaks.begin():
            self.tell_breaks()
            self._break_limit.start(round(self._breaks.left_s() * 1000))
            self.pause(BREAK, text.break_left(self._breaks.left_s()))

    def tell_breaks(self) -> None:
        """Say to the recorder how much is used up, if there are any breaks."""
        if self._breaks.are_granted:
            self._recorder.tell_breaks(self._breaks.spent_s(), lasting=self._breaks.lasts)

    def _break_is_over(self) -> None:
        """Nothing is left: time runs again, and the exam comes back when the candidate does."""
        self._breaks.end()
        self.tell_breaks()
        self.pause(BREAK_OVER)
        self.go_on(BREAK)

    def end_break(self) -> None:
        """The candidate is back."""
        self._break_limit.stop()
        self._breaks.end()
        self.tell_breaks()
        self.go_on(BREAK)
        self.go_on(BREAK_OVER)

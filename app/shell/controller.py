"""Composition of a session in the shell: which effect is whose, which signal goes where, and how it begins and ends.

GUI thread. The state machine is run by ``app.shell.session``; the checks are ``app.shell.preparation``'s, the locking
``app.shell.engagement``'s, the exam ``app.shell.sitting``'s. What the other two processes say arrives through
``app.shell.recorder_side`` and ``app.shell.guard_side``.
"""

from PySide6.QtCore import QObject, Signal

from app.contract.incidents import IncidentKind
from app.contract.session import Effect, Event, SessionState
from app.contract.times import Clock
from app.shell import text
from app.shell.checking import Machine
from app.shell.course import Course
from app.shell.doors import GuardDoor, RecorderDoor
from app.shell.engagement import Engagement
from app.shell.preparation import Preparation
from app.shell.quitting import Answer, QuitCode
from app.shell.rehearsal import Rehearsal
from app.shell.reports import Reports
from app.shell.session import Session
from app.shell.sightings import WINDOW, Sightings
from app.shell.sitting import Sitting
from app.shell.stage import Stage
from app.shell.timekeeper import Timekeeper

SEAT_SECONDS = 60


class Controller(QObject):
    """One session from its link to its end. ``finished`` carries the exit code."""

    finished = Signal(int)

    def __init__(self, stage: Stage, clock: Clock, machine: Machine, rehearsal: Rehearsal) -> None:
        super().__init__()
        self.stage = stage
        self.clock = clock
        self.course = Course()
        self.reports = Reports(clock)
        self.closes_itself = False  # the last screen goes by itself, for the next candidate
        self.session = Session(self.course, changed=self._changed, give_up=self._leave)
        self.preparation = Preparation(stage, machine, rehearsal, passed=self._checks_passed, left=self._left)
        self.engagement = Engagement(stage, self.session, self.course, self.reports)
        self._rehearsal = rehearsal
        self._time = Timekeeper(stage, clock)
        self.sitting = Sitting(stage, clock, self.session, self.course, self._time)
        self._sightings = Sightings(self.reports, self.course)
        self._quit_code = QuitCode(None, clock)

    def start(self, recorder: RecorderDoor, guard: GuardDoor) -> None:
        """Begin with the link that the recorder was given."""
        self._recorder = recorder
        self.preparation.attach(recorder, guard)
        self.engagement.attach(recorder, guard)
        self.sitting.attach(recorder)
        self._listen(recorder)
        self.session.start(
            {
                Effect.RESTORE_LEFTOVER: lambda: None,  # the guard does this by itself when it starts
                Effect.JOIN: self._join,
                Effect.SHOW_NOTICE: self._show_notice,
                Effect.RUN_CHECKS: self.run_checks,
                Effect.IDENTIFY: self._identify,
                Effect.START_RECORDING: recorder.record,
                Effect.ENGAGE_LOCKDOWN: self.engagement.engage,
                Effect.SHOW_EXAM: self._show_exam,
                Effect.COVER_EXAM: self.sitting.cover,
                Effect.CLOSE_EXAM: self._close_exam,
                Effect.RELEASE_LOCKDOWN: self.engagement.release,
                Effect.FLUSH_EVIDENCE: self._flush,
                Effect.SHOW_END: self._show_end,
            }
        )

    def _listen(self, recorder: RecorderDoor) -> None:
        stage, window = self.stage, self.stage.window
        stage.acknowledged.connect(self._acknowledged)
        stage.declined.connect(self._declined)
        stage.left.connect(self._left)
        stage.again.connect(self.run_checks)
        stage.proceed.connect(self.preparation.proceed)
        stage.device_picked.connect(recorder.pick_device)
        stage.submitted.connect(self._submitted)
        stage.exam_loaded.connect(self.sitting.loaded)
        stage.incident.connect(self._sightings.page_incident)
        stage.cookie_seen.connect(recorder.tell_cookie)
        stage.page_audible.connect(recorder.tell_page_sound)
        stage.visited.connect(self.reports.visited)
        stage.quit_code_given.connect(self._try_quit_code)
        stage.closed.connect(self._leave)
        stage.break_wanted.connect(self.sitting.begin_break)
        stage.break_ended.connect(self.sitting.end_break)
        window.engaged.connect(self.engagement.window_ready)
        window.focus_lost.connect(self._sightings.focus_lost)
        window.keyboard_taken.connect(self._sightings.keyboard_taken)
        window.input_sent.connect(self._sightings.input_sent)
        window.key_blocked.connect(self._sightings.key_blocked)
        self._time.time_up.connect(self._time_up)
        self._time.closing_done.connect(self._leave)

    def _changed(self, before: SessionState, why: str) -> None:
        if before is SessionState.CHECKING:
            self.preparation.end()  # pictures of the camera still come, and their screen goes
        self._recorder.tell_state(self.session.state, why)

    # --- effects before the exam -------------------------------------------------------------------------------

    def _join(self) -> None:
        self.stage.show_joining()
        self._recorder.join()

    def _show_notice(self) -> None:
        policy = self.course.known_policy()
        self.sitting.allow()
        tries = self.course.joined.tries if self.course.joined is not None else 0
        self._quit_code = QuitCode(policy.browser.quit_code, self.clock, tries=tries, on_try=self._recorder.tell_tries)
        if policy.demonstration:
            self.stage.allow_photographs()
        else:
            self._rehearsal.is_on = False
            self.stage.badges = ()
        if self._rehearsal.is_on:
            self.reports.note(IncidentKind.ENVIRONMENT, {"demonstration": "buttons press themselves"})
        self.course.notice = self.stage.show_notice(policy, self.course.agreement)
        self._rehearsal.press(self._acknowledged)

    def run_checks(self) -> None:
        """Start a round of checks, the first or another."""
        self.preparation.begin(self.course.known_policy())

    def _identify(self) -> None:
        if self.course.known_policy().identity.required:
            self.session.fail(Event.FAILED, text.IDENTITY_UNSUPPORTED)
        else:
            self.session.happen(Event.IDENTIFIED)

    # --- effects of the exam and after it ----------------------------------------------------------------------

    def _show_exam(self) -> None:
        self.engagement.settled()
        self.sitting.show()

    def _close_exam(self) -> None:
        self.engagement.settled()
        self.sitting.close()

    def _flush(self) -> None:
        self.engagement.settled()
        self.stage.show_flush()
        self._recorder.finish(self.course.ended_by)

    def _show_end(self) -> None:
        self.engagement.settled()
        self.stage.show_end(self.course.ending())
        if self._rehearsal.is_on:
            self._time.begin_closing()
        elif self.closes_itself:
            self._time.begin_closing(SEAT_SECONDS)

    # --- what the candidate and the clock do -------------------------------------------------------------------

    def _acknowledged(self) -> None:
        self.session.happen(Event.ACKNOWLEDGED)

    def _declined(self) -> None:
        self.session.happen(Event.DECLINED)

    def _left(self) -> None:
        self.session.happen(Event.CANCEL)

    def _checks_passed(self) -> None:
        self.session.happen(Event.CHECKS_PASSED)

    def _submitted(self) -> None:
        self.session.happen(Event.SUBMIT)

    def _time_up(self) -> None:
        self.session.happen(Event.TIME_UP)

    def _try_quit_code(self, code: str) -> None:
        answer = self._quit_code.attempt(code)
        if answer is Answer.RIGHT:
            self.course.end("quit_code")
            self.session.happen(Event.TERMINATE, "quit_code")
            return
        self.reports.note(IncidentKind.KEY_BLOCKED, {"quit_code": answer.value}, source=WINDOW)
        self.stage.ask_for_code(text.QUIT_WRONG)

    def tell_spent(self) -> None:
        """Say to a new recorder what is used up: it may have missed the last of it."""
        self.sitting.tell_breaks()
        if self._quit_code.tries:
            self._recorder.tell_tries(self._quit_code.tries)

    def _leave(self) -> None:
        self._time.stop()
        self.finished.emit(int(self.course.exit_code()))

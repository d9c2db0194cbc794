"""Runs a session: feeds what happens into the state machine and carries out the effects it answers with.

GUI thread. ``app.contract.session.step`` alone decides what comes next; nothing here changes a state by itself. What
the other two processes say arrives through ``app.shell.recorder_side`` and ``app.shell.guard_side``.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.contract import assistive
from app.contract.agreement import Allowance
from app.contract.errors import FairlockError, Fatal
from app.contract.incidents import IncidentKind, Track
from app.contract.policy import Policy, Treatment
from app.contract.session import Effect, Event, SessionState, step
from app.contract.times import Clock
from app.messages import EXAM_LOADED, LockIs, Refused
from app.shell import refusals, text
from app.shell.breaks import BREAK, BREAK_OVER, Breaks
from app.shell.checking import Machine
from app.shell.course import Course
from app.shell.locking import Lock, required_of, standing
from app.shell.losses import Loss
from app.shell.pauses import EVENTS, Pauses
from app.shell.preparation import ChecksGuard, ChecksRecorder, Preparation
from app.shell.quitting import Answer, QuitCode
from app.shell.rehearsal import Rehearsal
from app.shell.reports import Reports
from app.shell.stage import Exam, Stage
from app.shell.timekeeper import Timekeeper

LOCK_LIMIT_MS = 60_000
UNLOCK_LIMIT_MS = 20_000
MOST_WAITING = 32
SEAT_SECONDS = 60

_S = SessionState
_log = logging.getLogger("fairlock.shell")


class RecorderDoor(ChecksRecorder, Protocol):
    """What the controller asks of the recorder; implemented and described in ``app.shell.recorder_side``."""

    def join(self) -> None: ...
    def record(self) -> None: ...
    def finish(self, reason: str) -> None: ...
    def tell_state(self, state: SessionState, why: str) -> None: ...
    def tell_cookie(self, value: str) -> None: ...
    def pick_device(self, track: Track, name: str) -> None: ...
    def tell_page_sound(self, audible: bool) -> None: ...
    def tell_lock(self, lock: LockIs) -> None: ...


class GuardDoor(ChecksGuard, Protocol):
    """What the controller asks of the guard; implemented and described in ``app.shell.guard_side``."""

    def engage(self) -> None: ...
    def release(self) -> None: ...


class Controller(QObject):
    """One session from its link to its end. ``finished`` carries the exit code."""

    finished = Signal(int)

    def __init__(self, stage: Stage, clock: Clock, machine: Machine, rehearsal: Rehearsal) -> None:
        super().__init__()
        self.state = SessionState.IDLE
        self.stage = stage
        self.clock = clock
        self.course = Course()
        self.reports = Reports(clock)
        self.lock = Lock()
        self.closes_itself = False  # the last screen goes by itself, for the next candidate
        self.preparation = Preparation(stage, machine, rehearsal, passed=self._checks_passed, left=self._left)
        self._pauses = Pauses()
        self._rehearsal = rehearsal
        self._time = Timekeeper(stage, clock)
        self._quit_code = QuitCode(None, clock)
        self._events: deque[tuple[Event, str]] = deque(maxlen=MOST_WAITING)
        self._is_busy = False
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.timeout.connect(self._limit_reached)
        self._breaks = Breaks(clock, None)
        self._break_limit = QTimer(self)
        self._break_limit.setSingleShot(True)
        self._break_limit.timeout.connect(self._break_is_over)

    def start(self, recorder: RecorderDoor, guard: GuardDoor) -> None:
        """Begin with the link that the recorder was given."""
        self._recorder, self._guard = recorder, guard
        self._effects: Mapping[Effect, Callable[[], None]] = {
            Effect.RESTORE_LEFTOVER: lambda: None,  # the guard does this by itself when it starts
            Effect.JOIN: self._join,
            Effect.SHOW_NOTICE: self._show_notice,
            Effect.RUN_CHECKS: self.run_checks,
            Effect.IDENTIFY: self._identify,
            Effect.START_RECORDING: recorder.record,
            Effect.ENGAGE_LOCKDOWN: self._engage,
            Effect.SHOW_EXAM: self._show_exam,
            Effect.COVER_EXAM: self._cover,
            Effect.CLOSE_EXAM: self._close_exam,
            Effect.RELEASE_LOCKDOWN: self._release,
            Effect.FLUSH_EVIDENCE: self._flush,
            Effect.SHOW_END: self._show_end,
        }
        self.preparation.attach(recorder, guard)
        self._listen(recorder)
        self.happen(Event.OPEN_LINK)

    def _listen(self, recorder: RecorderDoor) -> None:
        stage, window = self.stage, self.stage.window
        stage.acknowledged.connect(self._acknowledged)
        stage.declined.connect(self._declined)
        stage.left.connect(self._left)
        stage.again.connect(self.run_checks)
        stage.proceed.connect(self.preparation.proceed)
        stage.device_picked.connect(recorder.pick_device)
        stage.submitted.connect(self._submitted)
        stage.exam_loaded.connect(self._exam_loaded)
        stage.incident.connect(self._page_incident)
        stage.cookie_seen.connect(recorder.tell_cookie)
        stage.page_audible.connect(recorder.tell_page_sound)
        stage.visited.connect(self.reports.visited)
        stage.quit_code_given.connect(self._try_quit_code)
        stage.closed.connect(self._leave)
        stage.break_wanted.connect(self._begin_break)
        stage.break_ended.connect(self._end_break)
        window.engaged.connect(self._window_ready)
        window.focus_lost.connect(self._focus_lost)
        window.keyboard_taken.connect(self._keyboard_taken)
        window.input_sent.connect(self._input_sent)
        window.key_blocked.connect(self._key_blocked)
        self._time.time_up.connect(self._time_up)
        self._time.closing_done.connect(self._leave)

    # --- the machine -------------------------------------------------------------------------------------------

    def happen(self, event: Event, why: str = "") -> None:
        """Something happened. What happens while effects run waits for its turn; ``Fatal`` if nothing else happens."""
        if len(self._events) == MOST_WAITING:
            raise Fatal(f"{MOST_WAITING} events wait for the effects of one.")
        self._events.append((event, why))
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._events:
                self._advance(*self._events.popleft())
        finally:
            self._is_busy = False

    def fail(self, event: Event, sentence: str) -> None:
        """Something ends the session; ``sentence`` is what the candidate reads."""
        if step(self.state, event)[0] is not self.state:
            self.course.end(event.value, sentence)
        self.happen(event)

    def pause(self, reason: str, words: str = "") -> None:
        """Cover the exam for ``reason`` (see ``app.shell.pauses``)."""
        self._pauses.add(reason, words)
        if self.state is _S.RUNNING:
            self.happen(EVENTS[reason], reason)
        elif self.state is _S.PAUSED:
            self._stay_covered()

    def go_on(self, reason: str) -> None:
        """``reason`` no longer holds; the exam comes back if it was the last one."""
        if not self._pauses.remove(reason) or self.state is not _S.PAUSED:
            return
        if self._pauses.first is None:
            self.happen(Event.RESUME)
        else:
            self._stay_covered()

    @property
    def paused_for(self) -> str:
        """Why the exam is covered, as the recorder is told; empty if nothing covers it."""
        return self._pauses.why

    def _stay_covered(self) -> None:
        """The exam stays covered, for another reason than before."""
        self._cover()
        self._recorder.tell_state(self.state, self.paused_for)

    def _advance(self, event: Event, why: str) -> None:
        state, effects = step(self.state, event)
        if state is not self.state:
            _log.info("%s: %s -> %s", event.value, self.state.value, state.value)
            if self.state is _S.CHECKING:
                self.preparation.end()  # pictures of the camera still come, and their screen goes
            self.state = state
            if state in (_S.UNLOCKING, _S.ENDED):
                self.course.end(event.value)
            self._carry_out(lambda: self._recorder.tell_state(state, why or event.value))
        for effect in effects:
            self._carry_out(self._effects[effect])

    def _carry_out(self, effect: Callable[[], None]) -> None:
        """Run ``effect``. One that fails ends the session in order and keeps no other one, such as unlocking, back.

        This comes to an end: from every state ``FATAL`` leads on, or does nothing.
        """
        try:
            effect()
        except Exception:  # noqa: BLE001  (a Qt slot's edge: whatever failed, the machine must not stay locked)
            _log.exception("an effect of the state %s failed", self.state.value)
            if self.state is _S.ENDED:
                self._leave()  # even the last screen: there is nothing left to show, and nothing is locked
                return
            if step(self.state, Event.FATAL)[0] is not self.state:
                self.course.end(Event.FATAL.value, refusals.sentence(Refused.of(FairlockError("a fault"))))
            self._events.appendleft((Event.FATAL, "a fault of our own"))

    # --- effects before the exam -------------------------------------------------------------------------------

    def _join(self) -> None:
        self.stage.show_joining()
        self._recorder.join()

    def _show_notice(self) -> None:
        policy = self._policy()
        joined = self.course.joined
        used_s = joined.elapsed_ms / 1000 if joined is not None else 0.0
        self._time.allow(policy.duration_s, used_s=used_s, expires_ms=policy.expires_ms)
        self._quit_code = QuitCode(policy.browser.quit_code, self.clock)
        self._breaks = Breaks(self.clock, self.course.agreement)
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
        self.preparation.begin(self._policy())

    def _identify(self) -> None:
        if self._policy().identity.required:
            self.fail(Event.FAILED, text.IDENTITY_UNSUPPORTED)
        else:
            self.happen(Event.IDENTIFIED)

    def _engage(self) -> None:
        self.lock = Lock()
        self.course.locked = True
        self._limit.start(LOCK_LIMIT_MS)
        self.stage.show_wait("locking", text.LOCKING_TITLE, text.LOCKING_LINE)
        by_agreement = Allowance.ACCESSIBILITY_KEYS in self.course.allowances
        self.stage.window.let_through(assistive.KEYS if by_agreement else ())
        self.stage.engage()
        self._guard.engage()

    def lock_changed(self) -> None:
        """One of recording, guard and window is ready: open the exam if all are."""
        if self.state is not _S.LOCKING or not self.lock.is_complete:
            return
        missing = self.lock.missing(self.stage.window.missing())
        for name, reason in sorted(missing.items()):
            self.reports.note(IncidentKind.CAPABILITY_MISSING, {"capability": name, "reason": reason[:300]})
        self.tell_lock()
        required = required_of(missing, self._policy().lockdown.require)
        if required:
            self.fail(Event.LOCK_FAILED, text.missing_capabilities(required))
        else:
            self.happen(Event.LOCKED)

    def tell_lock(self) -> None:
        """Write down what holds and what does not: first of all, to a new recorder, and of a new guard."""
        engaged, window = self.lock.engaged, self.stage.window
        if engaged is not None:
            held = [name.value for name in window.holding()]
            self._recorder.tell_lock(standing(engaged, held, self.lock.missing(window.missing())))

    # --- effects of the exam -----------------------------------------------------------------------------------

    def _show_exam(self) -> None:
        self._limit.stop()
        self._time.countdown.go_on()
        if self.stage.tab is not None:
            self.stage.uncover_exam()
            return
        try:
            self.stage.open_exam(self._exam())
        except FairlockError as error:
            self.fail(Event.FATAL, refusals.sentence(Refused.of(error)))
            return
        self._time.begin()
        first = self._pauses.first
        if first is not None:  # an examiner paused it while it was being locked
            self.happen(EVENTS[first[0]])

    def _exam(self) -> Exam:
        joined = self.course.joined
        assert joined is not None  # noqa: S101  (no state after JOINING is reached without it)
        return Exam(
            policy=self._policy(),
            candidate=joined.candidate,
            entry_url=joined.entry_url,
            sources=self.course.sources,
            breaks=self._breaks.are_granted,
        )

    def _cover(self) -> None:
        first = self._pauses.first
        if first is None:
            return
        if self._pauses.stops_time:
            self._time.countdown.hold()
        else:
            self._time.countdown.go_on()
        self.stage.cover_exam(*first)

    def _begin_break(self) -> None:
        if self.state is _S.RUNNING and self._breaks.begin():
            self._break_limit.start(round(self._breaks.left_s() * 1000))
            self.pause(BREAK, text.break_left(self._breaks.left_s()))

    def _break_is_over(self) -> None:
        """Nothing is left: time runs again, and the exam comes back when the candidate does."""
        self._breaks.end()
        self.pause(BREAK_OVER)
        self.go_on(BREAK)

    def _end_break(self) -> None:
        self._break_limit.stop()
        self._breaks.end()
        self.go_on(BREAK)
        self.go_on(BREAK_OVER)

    def _close_exam(self) -> None:
        self._break_limit.stop()
        self._time.stop()
        self._limit.stop()
        self.stage.close_exam()

    # --- effects after the exam --------------------------------------------------------------------------------

    def _release(self) -> None:
        self._limit.start(UNLOCK_LIMIT_MS)
        self.course.taken |= {name.value for name in self.stage.window.holding()}
        self._guard.release()
        self.stage.release()
        self.stage.show_wait("unlocking", text.UNLOCKING_TITLE, text.UNLOCKING_LINE, step=4)

    def _flush(self) -> None:
        self._limit.stop()
        self.stage.show_flush()
        self._recorder.finish(self.course.ended_by)

    def _show_end(self) -> None:
        self._limit.stop()
        self.stage.show_end(self.course.ending())
        if self._rehearsal.is_on:
            self._time.begin_closing()
        elif self.closes_itself:
            self._time.begin_closing(SEAT_SECONDS)

    # --- what the candidate, the page and the window do --------------------------------------------------------

    def _acknowledged(self) -> None:
        self.happen(Event.ACKNOWLEDGED)

    def _declined(self) -> None:
        self.happen(Event.DECLINED)

    def _left(self) -> None:
        self.happen(Event.CANCEL)

    def _checks_passed(self) -> None:
        self.happen(Event.CHECKS_PASSED)

    def _submitted(self) -> None:
        self.happen(Event.SUBMIT)

    def _time_up(self) -> None:
        self.happen(Event.TIME_UP)

    def _exam_loaded(self) -> None:
        if not self.course.exam_seen:
            self.course.exam_seen = True
            self._recorder.tell_state(self.state, EXAM_LOADED)

    def _page_incident(self, kind: IncidentKind, facts: Mapping[str, str]) -> None:
        self.reports.note(kind, facts, source="shell.page")

    def _focus_lost(self, loss: Loss) -> None:
        self.reports.note(IncidentKind.FOCUS_LOST, loss.facts(), source="shell.window", since=loss.since)

    def _keyboard_taken(self, loss: Loss) -> None:
        self.reports.note(IncidentKind.KEYBOARD_TAKEN, loss.facts(), source="shell.window", since=loss.since)

    def _input_sent(self, what: str) -> None:
        if self._policy().lockdown.injected_input is Treatment.IGNORE:
            return
        facts = {"blocked": what, "by": "XSendEvent"}
        self.reports.note(IncidentKind.INPUT_INJECTED, facts, source="shell.window")

    def _key_blocked(self, name: str) -> None:
        self.reports.note(IncidentKind.KEY_BLOCKED, {"keys": name}, source="shell.window")

    def _window_ready(self) -> None:
        self.lock.window = True
        self.lock_changed()

    def _try_quit_code(self, code: str) -> None:
        answer = self._quit_code.attempt(code)
        if answer is Answer.RIGHT:
            self.course.end("quit_code")
            self.happen(Event.TERMINATE, "quit_code")
            return
        self.reports.note(IncidentKind.KEY_BLOCKED, {"quit_code": answer.value}, source="shell.window")
        self.stage.ask_for_code(text.QUIT_WRONG)

    def _limit_reached(self) -> None:
        if self.state is _S.LOCKING:
            self.fail(Event.LOCK_FAILED, text.LOCK_TIMEOUT)
        else:
            self.release_unanswered()

    def release_unanswered(self) -> None:
        """Nobody says whether everything was undone: go on, and tell the candidate what to do."""
        self.course.failed = self.course.failed or (text.END_UNSURE,)
        self.happen(Event.RELEASE_FAILED)

    def _leave(self) -> None:
        self._time.stop()
        self.finished.emit(int(self.course.exit_code()))

    def _policy(self) -> Policy:
        assert self.course.policy is not None  # noqa: S101  (no state after JOINING is reached without one)
        return self.course.policy

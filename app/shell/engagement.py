"""Locks the computer before the exam and unlocks it afterwards: guard and window together, each turn within a limit.

GUI thread. What must hold is decided by ``app.shell.locking`` and the policy; whoever does not answer in time is not
waited for, so that no computer stays locked.
"""

from PySide6.QtCore import QObject, QTimer

from app.contract import assistive
from app.contract.agreement import Allowance
from app.contract.incidents import IncidentKind
from app.contract.session import Event, SessionState
from app.shell import text
from app.shell.course import Course
from app.shell.doors import GuardDoor, RecorderDoor
from app.shell.locking import Lock, required_of, standing
from app.shell.reports import Reports
from app.shell.session import Session
from app.shell.stage import Stage

LOCK_LIMIT_MS = 60_000
UNLOCK_LIMIT_MS = 20_000

_S = SessionState


class Engagement(QObject):
    """``lock`` is how far the locking is; the sides of recorder and guard fill it and call ``lock_changed``."""

    def __init__(self, stage: Stage, session: Session, course: Course, reports: Reports) -> None:
        super().__init__()
        self.lock = Lock()
        self._stage = stage
        self._session = session
        self._course = course
        self._reports = reports
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.timeout.connect(self._limit_reached)

    def attach(self, recorder: RecorderDoor, guard: GuardDoor) -> None:
        """Use these two from now on."""
        self._recorder, self._guard = recorder, guard

    def engage(self) -> None:
        """Lock."""
        self.lock = Lock()
        self._course.locked = True
        self._limit.start(LOCK_LIMIT_MS)
        self._stage.show_wait("locking", text.LOCKING_TITLE, text.LOCKING_LINE)
        by_agreement = Allowance.ACCESSIBILITY_KEYS in self._course.allowances
        self._stage.window.let_through(assistive.KEYS if by_agreement else ())
        self._stage.engage()
        self._guard.engage()

    def window_ready(self) -> None:
        """The window has the screen."""
        self.lock.window = True
        self.lock_changed()

    def lock_changed(self) -> None:
        """One of recording, guard and window is ready: open the exam if all are."""
        if self._session.state is not _S.LOCKING or not self.lock.is_complete:
            return
        missing = self.lock.missing(self._stage.window.missing())
        for name, reason in sorted(missing.items()):
            self._reports.note(IncidentKind.CAPABILITY_MISSING, {"capability": name, "reason": reason[:300]})
        self.tell_lock()
        required = required_of(missing, self._course.known_policy().lockdown.require)
        if required:
            self._session.fail(Event.LOCK_FAILED, text.missing_capabilities(required))
        else:
            self._session.happen(Event.LOCKED)

    def tell_lock(self) -> None:
        """Write down what holds and what does not: first of all, to a new recorder, and of a new guard."""
        engaged, window = self.lock.engaged, self._stage.window
        if engaged is not None:
            held = [name.value for name in window.holding()]
            self._recorder.tell_lock(standing(engaged, held, self.lock.missing(window.missing())))

    def release(self) -> None:
        """Unlock."""
        self._limit.start(UNLOCK_LIMIT_MS)
        self._course.taken |= {name.value for name in self._stage.window.holding()}
        self._guard.release()
        self._stage.release()
        self._stage.show_wait("unlocking", text.UNLOCKING_TITLE, text.UNLOCKING_LINE, step=4)

    def release_unanswered(self) -> None:
        """Nobody says whether everything was undone: go on, and tell the candidate what to do."""
        self._course.failed = self._course.failed or (text.END_UNSURE,)
        self._session.happen(Event.RELEASE_FAILED)

    def settled(self) -> None:
        """The turn is over, however it went: there is nothing to wait for."""
        self._limit.stop()

    def _limit_reached(self) -> None:
        if self._session.state is _S.LOCKING:
            self._session.fail(Event.LOCK_FAILED, text.LOCK_TIMEOUT)
        else:
            self.release_unanswered()

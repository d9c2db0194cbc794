"""The window and what is on it: one screen at a time, the tab, the questions. The controller's only door to Qt.

GUI thread. It shows what it is told and passes on what the candidate and the page do; it decides nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.contract.agreement import Agreement
from app.contract.policy import Policy
from app.shell import engine, text
from app.shell.appearance import Appearance
from app.shell.clipboard import empty_system_clipboard
from app.shell.gate import Gate
from app.shell.kiosk import ShellWindow
from app.shell.photographs import Photographs
from app.shell.screens.bar import ExamBar
from app.shell.screens.checks import ChecksScreen
from app.shell.screens.end import EndScreen
from app.shell.screens.ending import Ending
from app.shell.screens.exam import ExamScreen
from app.shell.screens.flush import FlushScreen
from app.shell.screens.notice import NoticeScreen
from app.shell.screens.overlay import Overlay, Question
from app.shell.screens.progress import ProgressScreen
from app.shell.screens.start import StartScreen
from app.shell.tab import ExamTab

DISPOSE_RETRY_MS = 20

_log = logging.getLogger("fairlock.shell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """What the exam screen needs."""

    policy: Policy
    candidate: str
    entry_url: str
    sources: Mapping[str, str]
    breaks: bool = False


class Stage(QObject):
    """Signals are named after what the candidate or the page did."""

    acknowledged = Signal()
    declined = Signal()
    proceed = Signal()
    again = Signal()
    left = Signal()
    device_picked = Signal(object, str)
    closed = Signal()
    quit_code_given = Signal(str)
    submitted = Signal()
    exam_loaded = Signal()
    incident = Signal(object, object)
    cookie_seen = Signal(str)
    page_audible = Signal(bool)
    visited = Signal(str)
    break_wanted = Signal()
    break_ended = Signal()

    def __init__(
        self, window: ShellWindow, look: Appearance, *, badges: Sequence[str] = (), photographs: Path | None = None
    ) -> None:
        super().__init__()
        self.window = window
        self.look = look
        self.badges = tuple(badges)
        self.tab: ExamTab | None = None
        self.exam: ExamScreen | None = None
        self._current: QWidget | None = None
        self._checks: ChecksScreen | None = None
        self._flush: FlushScreen | None = None
        self._end: EndScreen | None = None
        self._asks_for_code = False
        self.overlay = Overlay(window)
        self._photographs = Photographs(window, photographs)
        window.quit_pressed.connect(self._ask_for_code)

    # --- before the exam ---------------------------------------------------------------------------------------

    def show_start(self, *, seat: str, has_own: bool, may_end: bool) -> StartScreen:
        """Show the start page of a testing centre's seat, and return it to be listened to."""
        screen = StartScreen(self.look, seat=seat, has_own=has_own, may_end=may_end, badges=self.badges)
        self._show("start", screen)
        return screen

    def show_joining(self) -> None:
        """Show that the exam is being joined."""
        screen = ProgressScreen(
            self.look, step=0, title=text.JOINING_TITLE, line=text.JOINING_LINE, badges=self.badges, cancel=True
        )
        screen.cancelled.connect(self.left)
        self._show("joining", screen)

    def show_notice(self, policy: Policy, agreement: Agreement | None = None) -> str:
        """Show what will happen, and the choice; return the words that are shown."""
        screen = NoticeScreen(self.look, policy, agreement, badges=self.badges)
        screen.acknowledged.connect(self.acknowledged)
        screen.declined.connect(self.declined)
        self._show("notice", screen)
        screen.yes.setFocus()
        return screen.shown

    def show_checks(self) -> ChecksScreen:
        """Show the checks, empty at first, and return the screen to fill."""
        if self._checks is None:
            self._checks = ChecksScreen(self.look, badges=self.badges)
            self._checks.proceed.connect(self.proceed)
            self._checks.again.connect(self.again)
            self._checks.left.connect(self.left)
            self._checks.picked.connect(self.device_picked)
            self._show("checks", self._checks)
        self._checks.restart()
        return self._checks

    def show_wait(self, name: str, title: str, line: str, *, step: int = 3) -> None:
        """Show a wait without choices."""
        self._show(name, ProgressScreen(self.look, step=step, title=title, line=line, badges=self.badges))

    def allow_photographs(self) -> None:
        """Pictures may be taken, for the exam is a demonstration."""
        self._photographs.allow()

    def photograph(self, name: str) -> None:
        """Take a picture of what is shown, if pictures are wanted and allowed."""
        self._photographs.take(name)

    # --- the exam ----------------------------------------------------------------------------------------------

    def open_exam(self, exam: Exam) -> None:
        """Make the tab and load the exam; raises ``UserFacing`` when the policy's addresses can't be read."""
        policy = exam.policy
        gate = Gate(allow=policy.browser.allow, entry_url=exam.entry_url, submit_url=policy.browser.submit_url)
        platform = QGuiApplication.platformName()
        engine.configure(gate.endpoints, software_drawing=engine.has_no_graphics_card(platform))
        bar = ExamBar(
            title=policy.title,
            candidate=exam.candidate,
            badges=self._exam_badges(exam.sources),
            breaks=exam.breaks,
            watched=text.may_be_watched(policy),
        )
        self.exam = ExamScreen(bar)
        self._show("exam", self.exam)
        self.tab = ExamTab(self.exam, gate=gate, asker=self.overlay, entry_url=exam.entry_url)
        self.tab.incident.connect(self.incident)
        self.tab.cookie_seen.connect(self.cookie_seen)
        self.tab.audible.connect(self.page_audible)
        if policy.browser.record_addresses:
            self.tab.visited.connect(self.visited)
        self.tab.submitted.connect(self.submitted)
        self.tab.loaded.connect(self._exam_loaded)
        self.tab.trouble.connect(self.exam.show_trouble)
        bar.reload.connect(self.tab.reload)
        bar.zoom.connect(self.tab.zoom)
        bar.rest.connect(self.break_wanted)
        self.tab.keys.bar_wanted.connect(self.exam.switch_focus)
        self.tab.begin_at(self.look.scale)
        self.exam.cover.ended.connect(self.break_ended)
        self.exam.put_view(self.tab.view)
        self.exam.uncover()
        self.tab.open()

    def renew_entry(self, entry_url: str) -> None:
        """The exam is entered by another address from now on."""
        if self.tab is not None:
            self.tab.renew_entry(entry_url)

    def uncover_exam(self) -> None:
        """Show the exam again."""
        if self.exam is not None:
            self.exam.uncover()

    def cover_exam(self, why: str, reason: str) -> None:
        """Hide the exam and say why; a question of the page is answered with no."""
        if self.exam is not None:
            self.overlay.dismiss()
            self.exam.cover_up(why, reason)
            self.photograph(f"cover-{why}")

    def close_exam(self) -> None:
        """Take the exam page down, for good."""
        self.overlay.dismiss()
        tab, self.tab = self.tab, None
        exam, self.exam = self.exam, None
        if tab is None or exam is None:
            return
        exam.take_view()
        tab.view.hide()
        self._dispose(tab)

    def show_message(self, examiner: str, words: str) -> None:
        """Show an examiner's message; it stays until it is acknowledged."""
        if self.exam is not None:
            self.exam.show_message(text.MESSAGE_FROM.format(name=examiner), words)

    def show_concern(self, words: str) -> None:
        """Say what the policy minds about this computer during the exam; it stays until it is acknowledged."""
        if self.exam is not None:
            self.exam.show_message(text.CONCERN_HEADING, words)

    # --- after the exam ----------------------------------------------------------------------------------------

    def show_flush(self) -> None:
        """Show the upload."""
        self._flush = FlushScreen(self.look, badges=self.badges)
        self._show("flush", self._flush)

    def show_progress(self, sent: int, total: int, left_s: int | None) -> None:
        """Show how far the upload is."""
        if self._flush is not None:
            self._flush.show_progress(sent, total, left_s)

    def show_end(self, ending: Ending) -> None:
        """Show the last screen; from now on the window may be closed."""
        self.window.allow_close()
        self._end = EndScreen(self.look, ending, badges=self.badges)
        self._end.closed.connect(self.closed)
        self._show("end", self._end)

    def show_end_countdown(self, seconds: int) -> None:
        """Say when the window closes by itself."""
        if self._end is not None:
            self._end.show_countdown(seconds)

    # --- the window --------------------------------------------------------------------------------------------

    def engage(self) -> None:
        """Take the whole screen and the keyboard."""
        empty_system_clipboard()
        self.window.engage()

    def release(self) -> None:
        """Give both back."""
        self.window.release()

    def dispose(self) -> None:
        """Take everything down before the application goes."""
        self.close_exam()
        self.window.allow_close()
        self.window.release()
        self.window.close()

    def ask_for_code(self, line: str) -> None:
        """Ask for the quit code, with ``line`` above the field."""
        question = Question(title=text.QUIT_TITLE, line=line, yes=text.QUIT_GO, no=text.CANCEL, field="", secret=True)
        self._asks_for_code = True
        self.overlay.put(question, self._take_code)

    # --- inside ------------------------------------------------------------------------------------------------

    def _show(self, name: str, screen: QWidget) -> None:
        pages, old = self.window.pages, self._current
        pages.addWidget(screen)
        pages.setCurrentWidget(screen)
        self._current = screen
        if old is not None:
            pages.removeWidget(old)
            old.deleteLater()
        if old is self._checks:
            self._checks = None
        if screen is not self.exam:  # that one is worth a picture when its page is there
            self.photograph(name)

    def _exam_badges(self, sources: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        badges = [(badge, text.DEMONSTRATION_LONG) for badge in self.badges]
        if sources.get("camera") == "sample":
            badges.append((text.SAMPLE_CAMERA, text.SAMPLE_CAMERA_LONG))
        if sources.get("microphone") == "sample":
            badges.append((text.SAMPLE_MICROPHONE, text.SAMPLE_MICROPHONE_LONG))
        return tuple(badges)

    def _exam_loaded(self) -> None:
        if self.tab is not None:
            self.tab.watch_keys(self.window.keys)
            self.window.take_keyboard()
        self.photograph("exam")
        self.exam_loaded.emit()

    def _dispose(self, tab: ExamTab) -> None:
        """Delete the page when nobody inside it waits for an answer any more."""
        if self.overlay.is_waited_for:
            QTimer.singleShot(DISPOSE_RETRY_MS, lambda: self._dispose(tab))
            return
        tab.dispose()
        tab.deleteLater()

    def _ask_for_code(self) -> None:
        if self.exam is not None and not self._asks_for_code:
            self.ask_for_code(text.QUIT_LINE)

    def _take_code(self, code: str | None) -> None:
        self._asks_for_code = False
        if code is not None:
            self.quit_code_given.emit(code)
        self.uncover_focus()

    def uncover_focus(self) -> None:
        """Give the keyboard back to the page."""
        if self.exam is not None and not self.exam.is_covered:
            self.exam.uncover()

"""The exam screen: bar, banners, the tab or the cover over it. The tab itself is ``app.shell.tab``.

F6 goes from the page to the bar and back, Escape from the bar to the page, so that nobody has to leave the page by Tab.
"""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QStackedWidget, QWidget

from app.shell import text
from app.shell.announcing import announce
from app.shell.screens import parts
from app.shell.screens.bar import ExamBar
from app.shell.screens.cover import Cover
from app.shell.screens.fitting import GrowingBox
from app.shell.screens.pictures import Picture

HINT_MS = 15_000
BANNER_SHARE = 300
"""Thousandths of the screen's height that a message may take; a longer one scrolls."""


class Banner(QFrame):
    """A line above the page: an examiner's message (to be acknowledged) or trouble with the page."""

    acknowledged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        across = parts.row(self, spacing=12)
        across.setContentsMargins(16, 10, 16, 10)
        across.addWidget(Picture("message", "warn", 22), 0, Qt.AlignmentFlag.AlignTop)
        boxed = QWidget()
        boxed.setProperty("role", "boxed")
        words = parts.column(boxed, spacing=2)
        self._heading = parts.label("", "heading")
        self._line = parts.label("")
        words.addWidget(self._heading)
        words.addWidget(self._line)
        self._box = GrowingBox(boxed, share=BANNER_SHARE)
        across.addWidget(self._box, 1)
        self._button = parts.button(text.MESSAGE_SEEN)
        self._button.clicked.connect(self.acknowledged)
        across.addWidget(self._button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def say(self, heading: str, line: str, *, can_be_closed: bool) -> None:
        """Show it until it is acknowledged or hidden."""
        self._heading.setText(heading)
        self._heading.setVisible(bool(heading))
        self._line.setText(line[:2_000])
        self._button.setVisible(can_be_closed)
        self._box.setAccessibleName(heading or line)
        self._box.setAccessibleDescription(line)
        self._button.setAccessibleDescription(line[:2_000])
        self.setAccessibleName(heading or line)
        if not self.isVisible() or can_be_closed:
            announce(self, f"{heading}. {line}".lstrip(". "), urgent=True)
        self.show()


class ExamScreen(QWidget):
    """Holds the parts together; the web view is put in and taken out by the stage."""

    def __init__(self, bar: ExamBar) -> None:
        super().__init__()
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.bar = bar
        self.cover = Cover()
        self._messages: list[tuple[str, str]] = []
        self._banner = Banner()
        self._trouble = Banner()
        self._hint = Banner()
        self.hint_ends = QTimer(self)
        self.hint_ends.setSingleShot(True)
        self.hint_ends.setInterval(HINT_MS)
        self.hint_ends.timeout.connect(self._hint.hide)
        self._banner.acknowledged.connect(self._next_message)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.cover)
        outside = parts.column(self, spacing=0)
        for part in (bar, self._banner, self._trouble, self._hint):
            outside.addWidget(part)
        outside.addWidget(self._pages, 1)
        self._view: QWidget | None = None

    def put_view(self, view: QWidget) -> None:
        """Take in the web view, covered until ``uncover``."""
        self._view = view
        self._pages.addWidget(view)

    def take_view(self) -> None:
        """Let go of the web view, which is about to be deleted."""
        if self._view is not None:
            self._pages.removeWidget(self._view)
            self._view = None

    def uncover(self) -> None:
        """Show the exam."""
        if self._view is not None:
            if self.is_covered and self.cover.title.text():
                announce(self, text.UNCOVERED, urgent=True)
            self._pages.setCurrentWidget(self._view)
            self._view.setFocus()

    def cover_up(self, why: str, reason: str) -> None:
        """Hide the exam and say why."""
        self.cover.say(why, reason)
        self._pages.setCurrentWidget(self.cover)
        self.cover.take_focus()

    @property
    def is_covered(self) -> bool:
        """Whether the exam page can't be seen."""
        return self._pages.currentWidget() is self.cover

    def switch_focus(self) -> None:
        """Go from the page to the bar, or back."""
        focused = QApplication.focusWidget()
        if focused is not None and self.bar.isAncestorOf(focused):
            self._leave_bar()
        else:
            self.bar.take_focus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """What the page did not want: the way between bar and page."""
        if event.key() == Qt.Key.Key_F6:
            self.switch_focus()
        elif event.key() == Qt.Key.Key_Escape:
            self._leave_bar()
        else:
            super().keyPressEvent(event)

    def show_message(self, heading: str, line: str) -> None:
        """Show an examiner's message, or keep it until those before were acknowledged."""
        self._messages.append((heading, line))
        if len(self._messages) == 1:
            self._banner.say(heading, line, can_be_closed=True)

    def show_hint(self, line: str) -> None:
        """Say for a while how the camera's picture could be better; it goes by itself, and nothing has to be done."""
        self._hint.say("", line, can_be_closed=False)
        self.hint_ends.start()

    def show_trouble(self, on: bool) -> None:
        """Say that the page can't be reached, or take it back."""
        if on:
            self._trouble.say("", text.TROUBLE, can_be_closed=False)
        else:
            self._trouble.hide()

    def _leave_bar(self) -> None:
        if self.is_covered:
            self.cover.take_focus()
        elif self._view is not None:
            self._view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _next_message(self) -> None:
        del self._messages[:1]
        if self._messages:
            self._banner.say(*self._messages[0], can_be_closed=True)
        else:
            self._banner.hide()
            self._leave_bar()

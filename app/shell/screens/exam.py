"""The exam screen: bar, banner, the tab or the cover over it. The tab itself is ``app.shell.tab``."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QWidget

from app.shell import text
from app.shell.screens import parts
from app.shell.screens.bar import ExamBar
from app.shell.theme import Theme


class Cover(QWidget):
    """What is seen instead of the exam while it is paused: why, and what happens next."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outside = parts.column(self)
        outside.addStretch(2)
        card = parts.frame("card")
        card.setFixedWidth(620)
        inside = parts.column(card, spacing=14, margin=36)
        inside.addWidget(parts.picture("pause", theme.accent, 44))
        self.title = parts.label("", "title")
        self.line = parts.label("")
        self.reason = parts.label("", "muted")
        for part in (self.title, self.line, self.reason):
            inside.addWidget(part)
        outside.addLayout(parts.centred(card))
        outside.addStretch(3)

    def say(self, why: str, reason: str) -> None:
        """Show the words for ``why`` (see ``text.COVER_TITLES``) and the examiner's own reason, if any."""
        self.title.setText(text.COVER_TITLES[why])
        self.line.setText(text.COVER_LINES[why])
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.setAccessibleName(text.COVER_TITLES[why])
        self.setAccessibleDescription(text.COVER_LINES[why])


class Banner(QFrame):
    """A line above the page: an examiner's message (to be acknowledged) or trouble with the page."""

    acknowledged = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        across = parts.row(self, spacing=12)
        across.setContentsMargins(16, 10, 16, 10)
        self._theme = theme
        across.addWidget(parts.picture("message", theme.warn, 22), 0, Qt.AlignmentFlag.AlignTop)
        words = parts.column(spacing=2)
        self._heading = parts.label("", "heading")
        self._line = parts.label("")
        words.addWidget(self._heading)
        words.addWidget(self._line)
        across.addLayout(words, 1)
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
        self.setAccessibleName(heading or line)
        self.show()


class ExamScreen(QWidget):
    """Holds the parts together; the web view is put in and taken out by the stage."""

    def __init__(self, theme: Theme, bar: ExamBar) -> None:
        super().__init__()
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.bar = bar
        self.cover = Cover(theme)
        self._messages: list[tuple[str, str]] = []
        self._banner = Banner(theme)
        self._trouble = Banner(theme)
        self._banner.acknowledged.connect(self._next_message)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.cover)
        outside = parts.column(self, spacing=0)
        for part in (bar, self._banner, self._trouble):
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
            self._pages.setCurrentWidget(self._view)
            self._view.setFocus()

    def cover_up(self, why: str, reason: str) -> None:
        """Hide the exam and say why."""
        self.cover.say(why, reason)
        self._pages.setCurrentWidget(self.cover)
        self.cover.setFocus()

    @property
    def is_covered(self) -> bool:
        """Whether the exam page can't be seen."""
        return self._pages.currentWidget() is self.cover

    def show_message(self, heading: str, line: str) -> None:
        """Show an examiner's message, or keep it until those before were acknowledged."""
        self._messages.append((heading, line))
        if len(self._messages) == 1:
            self._banner.say(heading, line, can_be_closed=True)

    def show_trouble(self, on: bool) -> None:
        """Say that the page can't be reached, or take it back."""
        if on:
            self._trouble.say("", text.TROUBLE, can_be_closed=False)
        else:
            self._trouble.hide()

    def _next_message(self) -> None:
        del self._messages[:1]
        if self._messages:
            self._banner.say(*self._messages[0], can_be_closed=True)
        else:
            self._banner.hide()
            self.uncover() if not self.is_covered else self.cover.setFocus()

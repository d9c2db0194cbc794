"""Questions inside the exam window. A window of its own would not get the grabbed keyboard and could be left behind."""

import dataclasses
from collections.abc import Callable

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from app.shell import text
from app.shell.announcing import announce
from app.shell.screens import parts
from app.shell.screens.fitting import GrowingBox, Halves

WORDS_SHARE = 400
"""Thousandths of the window's height that the words of a question may take; more of them scroll."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask. ``field`` is the first value of a line to write in, or ``None`` for none."""

    title: str
    line: str
    yes: str = text.OK
    no: str = ""
    field: str | None = None
    secret: bool = False


class Overlay(QFrame):
    """A veil over its parent with one question at a time; a new one puts the old one off with "no"."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._below = parent
        self._answer: Callable[[str | None], None] | None = None
        self._field: QLineEdit | None = None
        self._loops = 0
        self._is_pages = False
        self.setProperty("role", "veil")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._around = parts.column()
        self._card: QWidget | None = None
        outside = parts.column(self)
        outside.addStretch(1)
        outside.addLayout(self._around)
        outside.addStretch(1)
        parent.installEventFilter(self)
        self.hide()

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits inside ``confirm`` or ``ask``; its page must not be taken down meanwhile."""
        return self._loops > 0

    def put(self, question: Question, answer: Callable[[str | None], None]) -> None:
        """Show ``question``; ``answer`` gets the line (or ``""``) for yes and ``None`` for no."""
        self.dismiss()
        self._answer, self._is_pages = answer, False
        self._card = self._build(question)
        self._around.addLayout(parts.centred(self._card))
        self.setGeometry(self._below.rect())
        self.show()
        self.raise_()
        announce(self, f"{question.title}. {question.line[:2_000]}", urgent=True)

    def dismiss(self) -> None:
        """Take the question away; it counts as answered with no."""
        self._finish(None)

    def tell(self, words: str) -> None:
        """Show what the page says until it is acknowledged (``app.shell.page.Asker``)."""
        self._wait(Question(title=text.PAGE_SAYS, line=words))

    def confirm(self, words: str) -> bool:
        """Ask the page's question."""
        return self._wait(Question(title=text.PAGE_SAYS, line=words, no=text.CANCEL)) is not None

    def ask(self, words: str, value: str) -> str | None:
        """Ask the page's question for a line of text."""
        return self._wait(Question(title=text.PAGE_SAYS, line=words, no=text.CANCEL, field=value))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Stay as large as the parent."""
        if event.type() == QEvent.Type.Resize and watched is self._below:
            self.setGeometry(self._below.rect())
        return False

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802  (Qt's name)
        """Keep Tab inside the question: what is below it is veiled."""
        stops = [child for child in self.findChildren(QWidget) if _is_stop(child)]
        if not stops:
            return False
        now = stops.index(self.focusWidget()) if self.focusWidget() in stops else -1
        stops[(now + (1 if forward else -1)) % len(stops)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Escape means no."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            event.accept()  # nothing typed here reaches the page below

    def _wait(self, question: Question) -> str | None:
        """Ask for a page. While the shell itself asks, the answer is no: a page could hold up who wants to leave, or
        put a line of its own under the code that is being typed.
        """
        if self._answer is not None and not self._is_pages:
            return None
        loop, given = QEventLoop(), list[str | None]()

        def answer(value: str | None) -> None:
            given.append(value)
            loop.quit()

        self.put(question, answer)
        self._is_pages = True
        self._loops += 1
        try:
            loop.exec()
        finally:
            self._loops -= 1
        return given[0] if given else None

    def _build(self, question: Question) -> QWidget:
        card = parts.frame("dialog")
        card.setAccessibleName(question.title)
        card.setAccessibleDescription(question.line[:2_000])
        inside = parts.column(card, spacing=14, margin=24)
        inside.addWidget(parts.label(question.title, "heading"))
        boxed = QWidget()
        boxed.setProperty("role", "boxed")
        parts.column(boxed).addWidget(parts.label(question.line[:2_000]))
        inside.addWidget(GrowingBox(boxed, share=WORDS_SHARE, name=question.line[:2_000]))
        self._field = None
        if question.field is not None:
            self._field = QLineEdit(question.field)
            self._field.setAccessibleName(question.title)
            self._field.setAccessibleDescription(question.line[:2_000])
            self._field.setEchoMode(QLineEdit.EchoMode.Password if question.secret else QLineEdit.EchoMode.Normal)
            self._field.returnPressed.connect(self._say_yes)
            inside.addWidget(self._field)
        buttons = Halves("buttons", margins=(0, 0, 0, 0))
        buttons.left.addStretch(1)
        if question.no:
            no = parts.button(question.no)
            no.clicked.connect(self.dismiss)
            buttons.left.addWidget(no)
        yes = parts.button(question.yes, "primary")
        yes.setAccessibleDescription(question.line[:2_000])
        yes.clicked.connect(self._say_yes)
        buttons.right.addWidget(yes)
        inside.addWidget(buttons)
        card.setFocusProxy(self._field or yes)
        card.setFocus()
        return card

    def showEvent(self, event: QEvent) -> None:  # noqa: N802  (Qt's name)
        """Take the keyboard from the page."""
        super().showEvent(event)  # type: ignore[arg-type]  # PySide's stub wants QShowEvent, which this is
        if self._card is not None:
            self._card.setFocus()

    def _say_yes(self) -> None:
        self._finish(self._field.text() if self._field is not None else "")

    def _finish(self, value: str | None) -> None:
        answer, self._answer = self._answer, None
        card, self._card = self._card, None
        self._field = None
        self.hide()
        if card is not None:
            self._around.takeAt(0)
            card.deleteLater()
        if answer is not None:
            answer(value)


def _is_stop(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)

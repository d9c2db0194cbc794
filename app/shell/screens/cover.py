"""What is seen instead of the exam while it is covered: why, and what happens next."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.shell import text
from app.shell.announcing import announce
from app.shell.breaks import BREAK, BREAK_OVER
from app.shell.screens import parts
from app.shell.screens.fitting import ScrollBox
from app.shell.screens.pictures import Picture


class Cover(QWidget):
    """Comes and goes by itself, but for a break, which the candidate ends (``ended``)."""

    ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        canvas = QWidget()
        canvas.setProperty("role", "canvas")
        around = parts.column(canvas, margin=8)
        self._card = parts.frame("cover")
        inside = parts.column(self._card, spacing=14, margin=32)
        inside.addWidget(Picture("pause", "accent", 44))
        self.title = parts.label("", "title")
        self.line = parts.label("")
        self.reason = parts.label("", "muted")
        for part in (self.title, self.line, self.reason):
            inside.addWidget(part)
        self.back = parts.button(text.BREAK_END, "primary")
        self.back.clicked.connect(self.ended)
        across = parts.row()
        across.addWidget(self.back)
        across.addStretch(1)
        inside.addLayout(across)
        around.addStretch(2)
        around.addLayout(parts.centred(self._card))
        around.addStretch(3)
        parts.column(self).addWidget(ScrollBox(canvas, role="page"))

    def say(self, why: str, reason: str) -> None:
        """Show the words for ``why`` (see ``text.COVER_TITLES``) and the examiner's own reason, if any."""
        title, line = text.COVER_TITLES[why], text.COVER_LINES[why]
        is_news = (title, reason) != (self.title.text(), self.reason.text()) or not self.isVisible()
        self.title.setText(title)
        self.line.setText(line)
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.back.setVisible(why in (BREAK, BREAK_OVER))
        self.setAccessibleName(title)
        self.setAccessibleDescription(line)
        parts.readable(self._card, title, f"{line} {reason}".strip())
        if is_news:
            announce(self, f"{title}. {line} {reason}".strip(), urgent=True)

    def take_focus(self) -> None:
        """Put the keyboard where something can be read or done."""
        (self.back if not self.back.isHidden() else self._card).setFocus()

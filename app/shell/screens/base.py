"""The frame of every screen but the exam: header with the steps, a scrollable middle, a footer with the buttons."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QWidget

from app.shell import text
from app.shell.screens import parts
from app.shell.theme import Theme

MIDDLE_WIDTH = 1040
NARROW_WIDTH = 720


class Screen(QWidget):
    """A page with a title. Subclasses fill ``self.middle`` and call ``add_button``."""

    def __init__(
        self, theme: Theme, *, step: int, title: str, subtitle: str = "", badges: Sequence[str] = (), wide: bool = False
    ) -> None:
        super().__init__()
        self.theme = theme
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        outside = parts.column(self, spacing=0)
        outside.addWidget(_header(theme, step, badges))
        self.title = parts.label(title, "title")
        self.subtitle = parts.label(subtitle, "subtitle")
        self.subtitle.setVisible(bool(subtitle))
        self.middle = parts.column(spacing=16)
        outside.addWidget(self._scroll(MIDDLE_WIDTH if wide else NARROW_WIDTH), 1)
        self._footer = parts.frame("footer")
        self._footer.hide()
        self._buttons = parts.row(self._footer, spacing=12)
        self._buttons.setContentsMargins(32, 14, 32, 14)
        self._buttons.addStretch(1)
        outside.addWidget(self._footer)

    def add_button(self, words: str, role: str = "", *, left: bool = False) -> QPushButton:
        """Add a button to the footer; tab order is the order of adding."""
        made = parts.button(words, role)
        if left:
            self._buttons.insertWidget(0, made)
        else:
            self._buttons.addWidget(made)
        self._footer.show()
        return made

    def _scroll(self, width: int) -> QScrollArea:
        content = QWidget()
        content.setMaximumWidth(width)
        inside = parts.column(content, spacing=6)
        inside.setContentsMargins(32, 36, 32, 32)
        inside.addWidget(self.title)
        inside.addWidget(self.subtitle)
        inside.addSpacing(16)
        inside.addLayout(self.middle)
        inside.addStretch(1)
        canvas = QWidget()
        canvas.setProperty("role", "canvas")
        around = parts.row(canvas, spacing=0)
        around.addStretch(1)
        around.addWidget(content, 1000)
        around.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(canvas)
        return area


def _header(theme: Theme, step: int, badges: Sequence[str]) -> QFrame:
    header = parts.frame("header")
    across = parts.row(header, spacing=10)
    across.setContentsMargins(32, 12, 32, 12)
    across.addWidget(parts.picture("mark", theme.accent, 24))
    across.addWidget(parts.label(text.PRODUCT, "brand", wrap=False))
    across.addSpacing(18)
    for words in badges:
        across.addWidget(parts.label(words, "badge", wrap=False), 0, Qt.AlignmentFlag.AlignVCenter)
    across.addStretch(1)
    for index, words in enumerate(text.STEPS):
        made = parts.label(words, "step-now" if index == step else "step", wrap=False)
        if index == step:
            made.setAccessibleName(f"Step {index + 1} of {len(text.STEPS)}: {words}")
        across.addWidget(made)
    return header

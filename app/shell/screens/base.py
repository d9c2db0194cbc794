"""The frame of every screen but the exam: header with the steps, a scrollable middle, a footer with the buttons.

All of it works without a mouse: Tab goes through what can be read and pressed, Enter and the space bar press, the page
keys scroll, and Escape goes to the button that leads out, without pressing it.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QPushButton, QWidget

from app.shell import text
from app.shell.announcing import announce
from app.shell.appearance import Appearance
from app.shell.screens import parts
from app.shell.screens.display import DisplayTools
from app.shell.screens.fitting import Halves, ScrollBox
from app.shell.screens.pictures import Picture

_SCROLLING = (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)


class Screen(QWidget):
    """A page with a title. Subclasses fill ``self.middle`` and call ``add_button``."""

    def __init__(
        self,
        look: Appearance,
        *,
        step: int,
        title: str,
        subtitle: str = "",
        badges: Sequence[str] = (),
        wide: bool = False,
    ) -> None:
        super().__init__()
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        self._way_out: QPushButton | None = None
        outside = parts.column(self, spacing=0)
        outside.addWidget(_header(look, step, badges))
        self.title = parts.label(title, "title")
        self.subtitle = parts.label(subtitle, "subtitle")
        self.subtitle.setVisible(bool(subtitle))
        self.middle = parts.column(spacing=16)
        self._area = self._scroll("content-wide" if wide else "content")
        outside.addWidget(self._area, 1)
        self._footer = Halves("footer", margins=(32, 14, 32, 14), spacing=12)
        self._footer.left.addStretch(1)
        self._footer.hide()
        outside.addWidget(self._footer)

    def add_button(self, words: str, role: str = "", *, way_out: bool = False) -> QPushButton:
        """Add a button to the footer; tab order is the order of adding. Escape goes to the ``way_out``."""
        made = parts.button(words, role)
        (self._footer.right if self._footer.right.count() or role else self._footer.left).addWidget(made)
        if way_out:
            self._way_out = made
        self._footer.show()
        return made

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  (Qt's name)
        """Say which screen this is."""
        super().showEvent(event)
        if self.focusWidget() is None:  # none of its own was asked for
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self, f"{self.title.text()}. {self.subtitle.text()}".strip())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Scroll, or go to the button that leads out."""
        bar = self._area.verticalScrollBar()
        if event.key() in _SCROLLING:
            bar.setValue(bar.value() + bar.pageStep() * (1 if event.key() == Qt.Key.Key_PageDown else -1))
        elif event.key() == Qt.Key.Key_Escape and self._way_out is not None:
            self._way_out.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            super().keyPressEvent(event)

    def _scroll(self, role: str) -> ScrollBox:
        content = QWidget()
        content.setProperty("role", role)
        inside = parts.column(content, spacing=6)
        inside.setContentsMargins(32, 32, 32, 32)
        inside.addWidget(self.title)
        inside.addWidget(self.subtitle)
        inside.addSpacing(16)
        inside.addLayout(self.middle)
        inside.addStretch(1)
        canvas = QWidget()
        canvas.setProperty("role", "canvas")
        parts.row(canvas, spacing=0).addLayout(parts.centred(content))
        return ScrollBox(canvas, role="page", name=self.title.text())


def _header(look: Appearance, step: int, badges: Sequence[str]) -> Halves:
    header = Halves("header", margins=(32, 10, 32, 10))
    header.left.addWidget(Picture("mark", "accent", 24))
    header.left.addWidget(parts.label(text.PRODUCT, "brand", wrap=False))
    header.left.addSpacing(18)
    for words in badges:
        header.left.addWidget(parts.label(words, "badge", wrap=False), 0, Qt.AlignmentFlag.AlignVCenter)
    header.left.addStretch(1)
    header.right.addStretch(1)
    for index, words in enumerate(text.STEPS):
        made = parts.label(words, "step-now" if index == step else "step", wrap=False)
        if index == step:
            made.setAccessibleName(f"Step {index + 1} of {len(text.STEPS)}: {words}")
        header.right.addWidget(made)
    header.right.addSpacing(8)
    header.right.addWidget(DisplayTools(look))
    return header

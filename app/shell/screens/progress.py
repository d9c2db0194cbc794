"""The screen of a wait without choices: joining, locking, unlocking."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar

from app.shell import text
from app.shell.appearance import Appearance
from app.shell.screens import parts
from app.shell.screens.base import Screen


class ProgressScreen(Screen):
    """A title, a sentence and a bar that moves. ``cancelled`` is offered only while nothing is locked."""

    cancelled = Signal()

    def __init__(
        self, look: Appearance, *, step: int, title: str, line: str, badges: Sequence[str] = (), cancel: bool = False
    ) -> None:
        super().__init__(look, step=step, title=title, badges=badges)
        card = parts.frame("card")
        inside = parts.column(card, spacing=18, margin=24)
        self.line = parts.label(line)
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setAccessibleName(line)
        inside.addWidget(self.line)
        inside.addWidget(bar)
        self.middle.addWidget(parts.readable(card, title, line))
        if cancel:
            self.add_button(text.CANCEL, way_out=True).clicked.connect(self.cancelled)

"""The upload after the exam: how much is received, and when it is safe to close."""

from collections.abc import Sequence

from PySide6.QtWidgets import QProgressBar

from app.shell import text
from app.shell.announcing import announce
from app.shell.appearance import Appearance
from app.shell.screens import parts
from app.shell.screens.base import Screen

STEPS = 1_000
SAID_PERCENT = 25
"""Progress is announced so often; the rest can be read."""


class FlushScreen(Screen):
    """A bar, the bytes and a sentence. It never says "safe to close" before the server has everything."""

    def __init__(self, look: Appearance, *, badges: Sequence[str] = ()) -> None:
        super().__init__(look, step=4, title=text.FLUSH_TITLE, subtitle=text.FLUSH_LINE, badges=badges)
        card = parts.frame("card")
        inside = parts.column(card, spacing=16, margin=24)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, STEPS)
        self._bar.setAccessibleName(text.FLUSH_TITLE)
        self.line = parts.label(text.FLUSH_WAITING)
        inside.addWidget(self._bar)
        inside.addWidget(self.line)
        self.middle.addWidget(card)
        self._said = 0
        self._card = parts.readable(card, text.FLUSH_TITLE, text.FLUSH_WAITING)

    def show_progress(self, sent: int, total: int, left_s: int | None = None) -> None:
        """Show that ``sent`` of ``total`` bytes are received, and how many seconds the rest may take."""
        done = STEPS * min(sent, total) // total if total > 0 else 0
        self._bar.setValue(done)
        said = text.FLUSH_PROGRESS.format(sent=text.size(sent), total=text.size(total))
        self.line.setText(said if left_s is None else f"{said}, {text.about(left_s)} left")
        self._card.setAccessibleDescription(self.line.text())
        quarter = done * 100 // STEPS // SAID_PERCENT
        if quarter > self._said:
            self._said = quarter
            announce(self, self.line.text())

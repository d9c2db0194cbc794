"""The last screen: how it ended, what was sent, what was undone, what was closed."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame

from app.shell import text
from app.shell.appearance import Appearance
from app.shell.screens import parts
from app.shell.screens.base import Screen
from app.shell.screens.ending import Ending
from app.shell.screens.pictures import Picture


class EndScreen(Screen):
    """Shows an ``Ending``; nothing else happens after it."""

    closed = Signal()

    def __init__(self, look: Appearance, ending: Ending, *, badges: Sequence[str] = ()) -> None:
        super().__init__(look, step=ending.step, title=ending.title, badges=badges)
        self.middle.addWidget(_top(ending))
        if ending.failed:
            self.middle.addWidget(_list_card("warning", text.END_FAILED_HEADING, (*ending.failed, text.END_UNDO_HINT)))
        if ending.closed:
            self.middle.addWidget(_list_card("program", text.END_CLOSED_HEADING, ending.closed))
        if ending.undone:
            self.middle.addWidget(_list_card("undo", text.END_UNDONE_HEADING, ending.undone))
        elif not ending.changed and not ending.closed:
            self.middle.addWidget(parts.label(text.END_NOTHING_CHANGED, "muted"))
        self.close_button = self.add_button(text.END_CLOSE, "primary", way_out=True)
        self.close_button.clicked.connect(self.closed)
        self.close_button.setFocus()

    def show_countdown(self, seconds: int) -> None:
        """Say when the window closes by itself."""
        self.close_button.setText(text.END_CLOSING.format(seconds=seconds))


def _top(ending: Ending) -> QFrame:
    top = parts.frame("card")
    across = parts.row(top, spacing=16, margin=22)
    sign, tone = ("check", "good") if ending.good else ("warning", "warn")
    across.addWidget(Picture(sign, tone, 34), 0, Qt.AlignmentFlag.AlignTop)
    words = parts.column(spacing=8)
    words.addStretch(1)
    for line in (ending.line, ending.upload):
        if line:
            is_upload = line == ending.upload
            words.addWidget(parts.label(line, ("good" if ending.upload_good else "warn") if is_upload else ""))
    words.addStretch(1)
    across.addLayout(words, 1)
    return parts.readable(top, ending.title, f"{ending.line} {ending.upload}".strip())


def _list_card(name: str, heading: str, lines: Sequence[str]) -> QFrame:
    card = parts.frame("card")
    across = parts.row(card, spacing=14, margin=18)
    across.addWidget(Picture(name, "accent", 24), 0, Qt.AlignmentFlag.AlignTop)
    words = parts.column(spacing=5)
    words.addWidget(parts.label(heading, "heading"))
    for line in lines:
        words.addWidget(parts.label(line))
    across.addLayout(words, 1)
    return parts.readable(card, heading, " ".join(lines))

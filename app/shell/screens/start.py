"""The start page of a testing centre's seat: which exam, and the invigilator's way out."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from app.shell import text
from app.shell.appearance import Appearance
from app.shell.screens import parts
from app.shell.screens.base import Screen


class StartScreen(Screen):
    """``entered`` carries what was typed, ``own_wanted`` asks for the seat's own exam, ``left`` for the way out."""

    entered = Signal(str)
    own_wanted = Signal()
    left = Signal()

    def __init__(
        self, look: Appearance, *, seat: str, has_own: bool, may_end: bool, badges: Sequence[str] = ()
    ) -> None:
        title = text.START_TITLE.format(seat=seat) if seat else text.START_TITLE_ALONE
        super().__init__(look, step=0, title=title, subtitle=text.START_LINE, badges=badges)
        self.field = QLineEdit()
        self.field.setAccessibleName(text.START_FIELD)
        self.field.setMaxLength(4_000)
        self.field.returnPressed.connect(self._enter)
        self.refusal = parts.label("", "bad")
        self.refusal.hide()
        card = parts.frame("card")
        inside = parts.column(card, spacing=14, margin=24)
        inside.addWidget(parts.label(text.START_FIELD, "heading"))
        inside.addWidget(self.field)
        inside.addWidget(self.refusal)
        self.middle.addWidget(card)
        if may_end:
            self.add_button(text.START_INVIGILATOR).clicked.connect(self.left)
        if has_own:
            self.add_button(text.START_OWN).clicked.connect(self.own_wanted)
        self.go_button = self.add_button(text.START_GO, "primary")
        self.go_button.clicked.connect(self._enter)

    def refuse(self, words: str) -> None:
        """Say why what was entered is no exam."""
        self.refusal.setText(words)
        self.refusal.show()
        self.field.setAccessibleDescription(words)
        self.field.selectAll()
        self.field.setFocus()

    def _enter(self) -> None:
        self.entered.emit(self.field.text())

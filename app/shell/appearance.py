"""How everything looks now: the theme and the size of text, which the candidate can change on every screen.

GUI thread. Changing either dresses the whole application anew, in place: no screen has to be built again, for what
draws itself takes its colour and size from its own font and palette (``app.shell.screens.pictures``).
"""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from app.shell import sheet
from app.shell.theme import DARK, HIGH_CONTRAST, LIGHT, Theme

SCALES = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0)
"""Sizes of text; 1.0 is what the system's own scaling makes of it (``Xft.dpi``, the display's scale)."""


class Appearance(QObject):
    """``changed`` comes after the application was dressed anew."""

    changed = Signal()

    def __init__(self, application: QApplication, theme: Theme) -> None:
        super().__init__()
        self._application = application
        self.theme = theme
        # Whoever comes with high contrast and switches it off gets what is ordinary.
        self._other = HIGH_CONTRAST if theme in (LIGHT, DARK) else LIGHT
        self.scale = SCALES[0]
        self._dress()

    @property
    def has_high_contrast(self) -> bool:
        """Whether the colours shown are those of high contrast."""
        return self.theme not in (LIGHT, DARK)

    @property
    def is_largest(self) -> bool:
        """Whether text can't become larger."""
        return self.scale == SCALES[-1]

    @property
    def is_smallest(self) -> bool:
        """Whether text can't become smaller."""
        return self.scale == SCALES[0]

    def resize(self, steps: int) -> None:
        """Make text larger, or smaller for a negative number, by so many of ``SCALES``."""
        index = SCALES.index(self.scale) + steps
        self.scale = SCALES[max(0, min(index, len(SCALES) - 1))]
        self._dress()

    def set_high_contrast(self, on: bool) -> None:
        """Switch high contrast on or off."""
        if on != self.has_high_contrast:
            self.theme, self._other = self._other, self.theme
            self._dress()

    def _dress(self) -> None:
        """Our own style on every system, so that what was tested is what is seen."""
        theme = self.theme
        self._application.setStyle(QStyleFactory.create("Fusion"))
        palette = QPalette()
        for role, colour in (
            (QPalette.ColorRole.Window, theme.ground),
            (QPalette.ColorRole.Base, theme.surface),
            (QPalette.ColorRole.Text, theme.text),
            (QPalette.ColorRole.WindowText, theme.text),
            (QPalette.ColorRole.Button, theme.surface),
            (QPalette.ColorRole.ButtonText, theme.text),
            (QPalette.ColorRole.ToolTipBase, theme.surface),
            (QPalette.ColorRole.ToolTipText, theme.text),
            (QPalette.ColorRole.Highlight, theme.accent),
            (QPalette.ColorRole.HighlightedText, theme.on_accent),
        ):
            palette.setColor(role, QColor(colour))
        self._application.setPalette(palette)
        self._application.setStyleSheet(sheet.write(theme, self.scale))
        self.changed.emit()

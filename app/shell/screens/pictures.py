"""What draws itself: pictures and the buttons that show one. Colour and size come from the style sheet.

A drawing takes the colour of its own palette and grows with its own font, so that it follows when the candidate
changes the contrast or the size of text.
"""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from app.shell import icons
from app.shell.sheet import BASE_PX

_DRESSED = frozenset({QEvent.Type.StyleChange, QEvent.Type.FontChange, QEvent.Type.PaletteChange})


def scale_of(widget: QWidget) -> float:
    """Return how large ordinary text is in ``widget``, compared with 100 %."""
    return max(1, widget.font().pixelSize()) / BASE_PX


class Picture(QLabel):
    """A drawing of ``resources/icons``; decoration only, what it means is always written beside it."""

    def __init__(self, name: str, tone: str, size: int) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._name, self._size = name, size
        self._drawn: tuple[str, str, int] | None = None
        self.show_as(name, tone)

    def show_as(self, name: str, tone: str) -> None:
        """Show another drawing, or the same in another tone (``tone`` in the style sheet)."""
        self._name = name
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            self.style().unpolish(self)
            self.style().polish(self)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  (Qt's name)
        """Draw again in another colour or size."""
        super().changeEvent(event)
        if event.type() in _DRESSED:
            self._draw()

    def _draw(self) -> None:
        size = round(self._size * scale_of(self))
        wanted = (self._name, self.palette().color(QPalette.ColorRole.WindowText).name(), size)
        if wanted != self._drawn:
            self._drawn = wanted
            self.setPixmap(icons.pixmap(*wanted))
            self.setFixedSize(size, size)


class Tool(QPushButton):
    """A small button with a drawing; ``text`` is its name and hint."""

    def __init__(self, name: str, text: str, size: int = 20) -> None:
        super().__init__()
        self._name, self._size = name, size
        self._drawn: tuple[str, str, int] | None = None
        self.setProperty("role", "tool")
        self.setAutoDefault(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.say(text)
        self._draw()

    def say(self, text: str) -> None:
        """Change its name and hint."""
        self.setAccessibleName(text)
        self.setToolTip(text)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  (Qt's name)
        """Draw again in another colour or size."""
        super().changeEvent(event)
        if event.type() in _DRESSED or event.type() == QEvent.Type.EnabledChange:
            self._draw()

    def _draw(self) -> None:
        size = round(self._size * scale_of(self))
        wanted = (self._name, self.palette().color(QPalette.ColorRole.ButtonText).name(), size)
        if wanted != self._drawn:
            self._drawn = wanted
            self.setIcon(icons.icon(*wanted))
            self.setIconSize(QSize(size, size))

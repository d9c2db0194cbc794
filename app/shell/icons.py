"""The drawings in ``resources/icons``, in the colour a theme asks for. GUI thread only."""

from importlib import resources

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

ICONS = (
    "battery",
    "camera",
    "check",
    "clock",
    "cloud",
    "contrast",
    "cross",
    "eye",
    "key",
    "larger",
    "lock",
    "mark",
    "message",
    "minus",
    "network",
    "offline",
    "pause",
    "plus",
    "program",
    "reload",
    "smaller",
    "undo",
    "wait",
    "warning",
)


def read(name: str) -> str:
    """Return the drawing as SVG text, empty if this build has none of that name."""
    file = resources.files("resources").joinpath("icons", f"{name}.svg")
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def pixmap(name: str, colour: str, size: int) -> QPixmap:
    """Draw ``name`` in ``colour`` (``#rrggbb``), ``size`` pixels square at the screen's scale."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    renderer = QSvgRenderer(QByteArray(read(name).replace("currentColor", colour).encode()))
    painter = QPainter(picture)
    renderer.render(painter, QRectF(0, 0, picture.width(), picture.height()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def icon(name: str, colour: str, size: int = 20) -> QIcon:
    """Return ``name`` for a button."""
    return QIcon(pixmap(name, colour, size))

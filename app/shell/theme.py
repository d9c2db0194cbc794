"""The looks: one light and one dark set of colours, and one style sheet made from either. GUI thread only."""

from dataclasses import dataclass
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours as ``#rrggbb``. Text on its ground has a contrast of at least 4.5:1 (tested)."""

    name: str
    ground: str
    surface: str
    bar: str
    line: str
    text: str
    muted: str
    accent: str
    accent_down: str
    on_accent: str
    good: str
    warn: str
    bad: str
    tint: str
    warn_tint: str


LIGHT = Theme(
    name="light",
    ground="#f3f5f7",
    surface="#ffffff",
    bar="#ffffff",
    line="#d7dde3",
    text="#171c22",
    muted="#55606c",
    accent="#1d5bb8",
    accent_down="#164a98",
    on_accent="#ffffff",
    good="#15703f",
    warn="#8a5a00",
    bad="#b3261e",
    tint="#eaf1fb",
    warn_tint="#fdf3dc",
)
DARK = Theme(
    name="dark",
    ground="#12161a",
    surface="#1b2127",
    bar="#1b2127",
    line="#333c45",
    text="#e9edf1",
    muted="#a3adb8",
    accent="#7fb2ff",
    accent_down="#a5c9ff",
    on_accent="#0c1c33",
    good="#6fd39b",
    warn="#f0c264",
    bad="#ff8a80",
    tint="#1f2c3d",
    warn_tint="#33290f",
)

_SHEET = Template("""
* { font-size: 14px; }
QWidget { color: $text; }
QWidget[role="window"], QScrollArea, QWidget[role="canvas"] { background: $ground; border: none; }
QFrame[role="card"] { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame[role="header"], QFrame[role="bar"] { background: $bar; border: none; border-bottom: 1px solid $line; }
QFrame[role="footer"] { background: $bar; border: none; border-top: 1px solid $line; }
QFrame[role="banner"] { background: $warn_tint; border: none; border-bottom: 1px solid $line; }
QFrame[role="veil"] { background: rgba(8, 12, 16, 150); }
QFrame[role="rule"] { background: $line; border: none; max-height: 1px; min-height: 1px; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: 26px; font-weight: 600; }
QLabel[role="subtitle"] { font-size: 15px; color: $muted; }
QLabel[role="heading"] { font-size: 15px; font-weight: 600; }
QLabel[role="name"] { font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="brand"] { font-size: 15px; font-weight: 600; }
QLabel[role="step"] { color: $muted; padding: 4px 10px; }
QLabel[role="step-now"] { color: $accent; background: $tint; border-radius: 12px; padding: 4px 12px; font-weight: 600; }
QLabel[role="good"] { color: $good; }
QLabel[role="warn"] { color: $warn; }
QLabel[role="bad"] { color: $bad; }
QLabel[role="badge"] {
    color: $warn; background: $warn_tint; border: 1px solid $warn; border-radius: 4px;
    padding: 2px 7px; font-size: 12px; font-weight: 600;
}
QLabel[role="recording"] { color: $bad; font-weight: 600; }
QLabel[role="time"], QLabel[role="time-low"] { font-size: 17px; font-weight: 600; }
QLabel[role="time-low"] { color: $bad; }
QPushButton {
    background: $surface; border: 1px solid $line; border-radius: 7px; padding: 9px 18px; min-height: 18px;
}
QPushButton:hover { border-color: $accent; }
QPushButton:focus { border: 2px solid $accent; padding: 8px 17px; }
QPushButton:disabled { color: $muted; border-color: $line; background: $ground; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600; }
QPushButton[role="primary"]:hover, QPushButton[role="primary"]:pressed { background: $accent_down; }
QPushButton[role="primary"]:focus { border: 2px solid $text; }
QPushButton[role="primary"]:disabled { background: $line; border-color: $line; color: $muted; }
QPushButton[role="tool"] { border: 1px solid transparent; background: transparent; padding: 5px; border-radius: 6px; }
QPushButton[role="tool"]:hover { background: $tint; }
QPushButton[role="tool"]:focus { border: 1px solid $accent; padding: 5px; }
QLineEdit {
    background: $surface; border: 1px solid $line; border-radius: 7px; padding: 9px 11px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit:focus { border: 2px solid $accent; padding: 8px 10px; }
QProgressBar { background: $line; border: none; border-radius: 4px; max-height: 8px; min-height: 8px; }
QProgressBar::chunk { background: $accent; border-radius: 4px; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: $line; border-radius: 5px; min-height: 40px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; }
""")


def choose(wish: str) -> Theme:
    """Return the theme for ``"light"``, ``"dark"``, or what the system prefers."""
    if wish in ("light", "dark"):
        return LIGHT if wish == "light" else DARK
    hints = QGuiApplication.styleHints()
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def apply(application: QApplication, theme: Theme) -> None:
    """Dress the whole application; our own style on every system, so that what was tested is what is seen."""
    application.setStyle(QStyleFactory.create("Fusion"))
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, theme.ground),
        (QPalette.ColorRole.Base, theme.surface),
        (QPalette.ColorRole.Text, theme.text),
        (QPalette.ColorRole.WindowText, theme.text),
        (QPalette.ColorRole.Button, theme.surface),
        (QPalette.ColorRole.ButtonText, theme.text),
        (QPalette.ColorRole.Highlight, theme.accent),
        (QPalette.ColorRole.HighlightedText, theme.on_accent),
    ):
        palette.setColor(role, QColor(colour))
    application.setPalette(palette)
    application.setStyleSheet(_SHEET.substitute({name: getattr(theme, name) for name in Theme.__slots__}))

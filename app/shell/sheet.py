"""The style sheet: one template, filled with a theme's colours and scaled to the size of text. Pure."""

import dataclasses
import re
from string import Template

from app.shell.theme import Theme

BASE_PX = 14
"""Size of ordinary text at 100 %; widgets that draw themselves compare their font with it."""
HAIRLINE_PX = 3
"""Borders up to this stay as they are, whatever the size of text."""

_SHEET = Template("""
* { font-size: 14px; }
QWidget { color: $text; }
QWidget[role="window"], QScrollArea, QWidget[role="canvas"] { background: $ground; border: none; }
QScrollArea[role="box"], QWidget[role="boxed"] { background: transparent; border: 2px solid transparent; }
QScrollArea:focus { border: 2px solid $focus; }
QWidget[role="content"] { max-width: 720px; }
QWidget[role="content-wide"] { max-width: 1040px; }
QFrame[role="card"], QFrame[role="dialog"] { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame[role="card"]:focus, QFrame[role="cover"]:focus { border: 2px solid $focus; }
QFrame[role="cover"] { background: $surface; border: 1px solid $line; border-radius: 10px; max-width: 620px; }
QFrame[role="dialog"] { min-width: 300px; max-width: 460px; }
QFrame[role="header"], QFrame[role="bar"] { background: $bar; border: none; border-bottom: 1px solid $line; }
QFrame[role="footer"] { background: $bar; border: none; border-top: 1px solid $line; }
QFrame[role="banner"] { background: $warn_tint; border: none; border-bottom: 1px solid $line; }
QFrame[role="veil"] { background: rgba(8, 12, 16, 150); }
QFrame[role="line"] { background: transparent; border: 2px solid transparent; border-radius: 7px; }
QFrame[role="line"]:focus { border: 2px solid $focus; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: 26px; font-weight: 600; }
QLabel[role="subtitle"] { font-size: 15px; color: $muted; }
QLabel[role="heading"] { font-size: 15px; font-weight: 600; }
QLabel[role="name"] { font-weight: 600; min-width: 110px; }
QLabel[role="muted"], QLabel[tone="muted"] { color: $muted; }
QLabel[role="brand"] { font-size: 15px; font-weight: 600; }
QLabel[role="step"] { color: $muted; padding: 4px 10px; }
QLabel[role="step-now"] { color: $accent; background: $tint; border-radius: 12px; padding: 4px 12px; font-weight: 600; }
QLabel[role="good"], QLabel[tone="good"] { color: $good; }
QLabel[role="warn"], QLabel[tone="warn"] { color: $warn; }
QLabel[role="bad"], QLabel[tone="bad"] { color: $bad; }
QLabel[tone="accent"] { color: $accent; }
QLabel[role="badge"] {
    color: $warn; background: $warn_tint; border: 1px solid $warn; border-radius: 4px;
    padding: 2px 7px; font-size: 12px; font-weight: 600;
}
QLabel[role="recording"] { color: $bad; font-weight: 600; }
QLabel[role="time"], QLabel[role="time-low"] { font-size: 17px; font-weight: 600; }
QLabel[role="time-low"] { color: $bad; }
QPushButton {
    background: $surface; border: 1px solid $edge; border-radius: 7px; padding: 9px 18px; min-height: 18px;
}
QPushButton:hover { border-color: $accent; }
QPushButton:focus { border: 3px solid $focus; padding: 7px 16px; }
QPushButton:disabled { color: $muted; border-color: $line; background: $ground; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600; }
QPushButton[role="primary"]:hover, QPushButton[role="primary"]:pressed { background: $accent_down; }
QPushButton[role="primary"]:focus { border: 3px solid $text; }
QPushButton[role="primary"]:disabled { background: $line; border-color: $line; color: $muted; }
QPushButton[role="tool"] {
    border: 2px solid transparent; background: transparent; padding: 4px; border-radius: 6px;
}
QPushButton[role="tool"]:hover { background: $tint; border-color: $edge; }
QPushButton[role="tool"]:checked { border: 2px solid $edge; }
QPushButton[role="tool"]:focus { border: 2px solid $focus; padding: 4px; }
QLineEdit {
    background: $surface; border: 1px solid $edge; border-radius: 7px; padding: 9px 11px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit:focus { border: 2px solid $focus; padding: 8px 10px; }
QLabel[role="preview"] { background: $line; color: $muted; border-radius: 6px; }
QComboBox { background: $surface; border: 1px solid $edge; border-radius: 7px; padding: 6px 11px; min-height: 18px; }
QComboBox:focus { border: 3px solid $focus; padding: 4px 9px; }
QComboBox:disabled { color: $muted; border-color: $line; background: $ground; }
QComboBox::drop-down { border: none; width: 28px; }
QComboBox::down-arrow {
    width: 0px; height: 0px; border-left: 5px solid $surface; border-right: 5px solid $surface;
    border-top: 6px solid $text;
}
QComboBox QAbstractItemView {
    background: $surface; color: $text; border: 1px solid $edge;
    selection-background-color: $accent; selection-color: $on_accent;
}
QProgressBar { background: $line; border: none; border-radius: 4px; max-height: 8px; min-height: 8px; }
QProgressBar::chunk { background: $accent; border-radius: 4px; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar::handle:vertical { background: $edge; border-radius: 5px; min-height: 40px; margin: 1px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; }
""")
_PIXELS = re.compile(r"(\d+)px")


def write(theme: Theme, scale: float = 1.0) -> str:
    """Return the style sheet of ``theme`` with text ``scale`` times its ordinary size, and all else in proportion."""

    def scaled(match: re.Match[str]) -> str:
        pixels = int(match[1])
        return f"{pixels if pixels <= HAIRLINE_PX else round(pixels * scale)}px"

    colours = {field.name: getattr(theme, field.name) for field in dataclasses.fields(theme)}
    return _PIXELS.sub(scaled, _SHEET.substitute(colours))

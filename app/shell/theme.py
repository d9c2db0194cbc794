"""The colours: light, dark and high contrast, or those of a system that is set to high contrast itself.

GUI thread only. ``app.shell.sheet`` makes a style sheet of them, ``app.shell.appearance`` decides which are shown.
"""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette

FORCED_CONTRAST = 7.0
"""Least contrast of a system's own colours for them to be taken over as high contrast (WCAG 2.2, 1.4.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours as ``#rrggbb``. Text on its ground has a contrast of at least 4.5:1, in high contrast 7:1; ``edge`` (of
    what can be pressed or written in) and ``focus`` of at least 3:1 (tested).
    """

    name: str
    ground: str
    surface: str
    bar: str
    line: str
    edge: str
    focus: str
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
    edge="#7c8894",
    focus="#1d5bb8",
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
    edge="#76828f",
    focus="#7fb2ff",
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
HIGH_CONTRAST = Theme(
    name="high contrast",
    ground="#000000",
    surface="#000000",
    bar="#000000",
    line="#ffffff",
    edge="#ffffff",
    focus="#ffff00",
    text="#ffffff",
    muted="#ffffff",
    accent="#00ffff",
    accent_down="#ffffff",
    on_accent="#000000",
    good="#3ff23f",
    warn="#ffff00",
    bad="#ffa0a0",
    tint="#000000",
    warn_tint="#000000",
)


def choose(wish: str) -> Theme:
    """Return the theme for ``"light"``, ``"dark"``, ``"contrast"``, or what the system prefers.

    To be asked before the application's palette is set, for the system's colours are read from it.
    """
    named = {"light": LIGHT, "dark": DARK, "contrast": HIGH_CONTRAST}
    if wish in named:
        return named[wish]
    hints = QGuiApplication.styleHints()
    if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
        return forced(QGuiApplication.palette())
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def forced(palette: QPalette) -> Theme:
    """Return a theme of a system's own high-contrast colours, or ours where those are not readable enough.

    They are what the person chose to be able to read; nothing is mixed in but the names of the roles.
    """
    role = QPalette.ColorRole
    ground, ink = palette.color(role.Window), palette.color(role.WindowText)
    mark, on_mark, link = palette.color(role.Highlight), palette.color(role.HighlightedText), palette.color(role.Link)
    if contrast(ground, ink) < FORCED_CONTRAST or contrast(mark, on_mark) < FORCED_CONTRAST:
        return HIGH_CONTRAST
    text, back = ink.name(), ground.name()
    focus = mark.name() if contrast(mark, ground) >= 3.0 else text
    accent = link.name() if contrast(link, ground) >= FORCED_CONTRAST else text
    plain = dict.fromkeys(("line", "edge", "text", "muted", "good", "warn", "bad"), text)
    grounds = dict.fromkeys(("ground", "surface", "bar", "tint", "warn_tint"), back)
    return Theme(name="system", focus=focus, accent=accent, accent_down=text, on_accent=back, **plain, **grounds)


def contrast(one: QColor | str, other: QColor | str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(QColor(one)), _luminance(QColor(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())

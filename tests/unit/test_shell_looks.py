"""Every screen in every look: readable by the numbers, and nothing cut off at any size of text."""

import contextlib
import itertools

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.shell import sheet, theme
from app.shell.appearance import SCALES
from app.shell.screens.fitting import Elided
from app.shell.theme import DARK, HIGH_CONTRAST, LIGHT, Theme, contrast
from tests.unit.shell_parts import PATIENCE_MS, dressed
from tests.unit.shell_screens import SCREENS

TEXT, CONTROL = 4.5, 3.0
"""WCAG 2.2 AA: 1.4.3 for text, 1.4.11 for what can be pressed and for the focus."""
FULL = len(SCALES) - 1
SIZES = [(1280, 800, 0), (1280, 800, FULL), (1920, 1080, FULL), (640, 400, 0)]
"""Width, height, steps of larger text; the last is a 1280x800 screen that the system scales by two."""


def cut_off(widget: QWidget) -> list[str]:
    """Return the texts inside ``widget`` that have less room than they need."""
    found = []
    for label in widget.findChildren(QLabel):
        if not label.isVisible() or not label.text() or isinstance(label, Elided):
            continue
        if label.wordWrap():
            fits = label.height() >= label.heightForWidth(label.width()) - 1
            longest = max(label.fontMetrics().horizontalAdvance(word) for word in words_of(label.text()))
            fits = fits and label.width() >= longest
        else:
            fits = label.width() >= label.sizeHint().width() and label.height() >= label.sizeHint().height()
        if not fits:
            found.append(label.text())
    for button in widget.findChildren(QPushButton):
        if button.isVisible() and button.width() < button.sizeHint().width():
            found.append(button.accessibleName())
    return found


def words_of(text: str) -> list[str]:
    """Return what can't be broken."""
    return [part for word in text.split() for part in word.split("\u200b")] or [""]


def off_screen(widget: QWidget) -> list[str]:
    """Return what lies outside of the window although nothing scrolls it into view."""
    inside = widget.rect()
    scrolled = [area.widget() for area in widget.findChildren(QScrollArea)]
    found = []
    for part in widget.findChildren(QWidget):
        if not part.isVisible() or any(area is not None and area.isAncestorOf(part) for area in scrolled):
            continue
        corner = part.mapTo(widget, part.rect().topLeft())
        if not inside.contains(part.rect().translated(corner)):
            found.append(part.accessibleName() or type(part).__name__)
    return found


def settle(qtbot: QtBot, screen: QWidget) -> None:
    """Wait until the layouts have come to rest; one that never fits is left to what looks closer."""
    with contextlib.suppress(qtbot.TimeoutError):
        qtbot.waitUntil(lambda: not cut_off(screen) and not off_screen(screen), timeout=PATIENCE_MS)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]} {SCALES[size[2]]:.0%}")
@pytest.mark.parametrize("name", SCREENS)
def test_nothing_is_cut_off(qtbot: QtBot, name: str, size: tuple[int, int, int]) -> None:
    width, height, steps = size
    screen = SCREENS[name](dressed(LIGHT, steps=steps))
    qtbot.addWidget(screen)
    screen.resize(width, height)
    screen.show()
    qtbot.waitExposed(screen)
    settle(qtbot, screen)
    assert (screen.width(), screen.height()) == (width, height), "nothing forces it larger"
    assert cut_off(screen) == []
    assert off_screen(screen) == []
    for area in screen.findChildren(QScrollArea):
        content = area.widget()
        assert content is not None
        assert content.width() <= area.viewport().width(), "nobody has to scroll sideways"


@pytest.mark.parametrize("name", SCREENS)
def test_ordinary_text_on_an_ordinary_screen_needs_no_scrolling(qtbot: QtBot, name: str) -> None:
    screen = SCREENS[name](dressed(LIGHT))
    qtbot.addWidget(screen)
    screen.resize(1280, 900)
    screen.show()
    qtbot.waitExposed(screen)
    assert [area for area in screen.findChildren(QScrollArea) if area.verticalScrollBar().maximum() > 0] == []


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_follows_while_it_is_shown(qtbot: QtBot, name: str) -> None:
    look = dressed(LIGHT)
    screen = SCREENS[name](look)
    qtbot.addWidget(screen)
    screen.resize(1280, 800)
    screen.show()
    qtbot.waitExposed(screen)
    look.set_high_contrast(True)
    look.resize(FULL)
    settle(qtbot, screen)
    assert cut_off(screen) == []
    assert off_screen(screen) == []
    picture = screen.grab().toImage()
    seen = {QColor(picture.pixel(x, y)).name() for x in range(0, 1280, 3) for y in range(0, 800, 3)}
    assert {HIGH_CONTRAST.ground, HIGH_CONTRAST.text} <= seen
    assert not seen & {LIGHT.ground, LIGHT.text, LIGHT.accent}, "nothing keeps the colours from before"


@pytest.mark.parametrize("shown", [LIGHT, DARK, HIGH_CONTRAST], ids=lambda shown: shown.name)
def test_every_colour_is_readable_where_it_is_used(shown: Theme) -> None:
    least = theme.FORCED_CONTRAST if shown is HIGH_CONTRAST else TEXT
    inks = ("text", "muted", "good", "warn", "bad", "accent")
    texts = [(getattr(shown, ink), ground) for ink in inks for ground in (shown.ground, shown.surface, shown.bar)]
    texts += [(shown.on_accent, shown.accent), (shown.on_accent, shown.accent_down), (shown.warn, shown.warn_tint)]
    texts += [(shown.accent, shown.tint), (shown.text, shown.tint), (shown.text, shown.warn_tint)]
    assert [pair for pair in texts if contrast(*pair) < least] == []
    grounds = (shown.ground, shown.surface, shown.bar)
    controls = itertools.product((shown.edge, shown.focus, shown.accent, shown.text), grounds)
    assert [pair for pair in controls if contrast(*pair) < CONTROL] == []


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def palette(*, ground: str, ink: str, mark: str, on_mark: str, link: str) -> QPalette:
    made = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, ground),
        (QPalette.ColorRole.WindowText, ink),
        (QPalette.ColorRole.Highlight, mark),
        (QPalette.ColorRole.HighlightedText, on_mark),
        (QPalette.ColorRole.Link, link),
    ):
        made.setColor(role, QColor(colour))
    return made


def test_a_systems_own_high_contrast_is_taken_over() -> None:
    chosen = palette(ground="#000000", ink="#00ff00", mark="#ffff00", on_mark="#000000", link="#00ffff")
    taken = theme.forced(chosen)
    assert (taken.ground, taken.text, taken.focus, taken.accent) == ("#000000", "#00ff00", "#ffff00", "#00ffff")
    used = {getattr(taken, name) for name in Theme.__slots__ if name != "name"}
    assert used == {"#000000", "#00ff00", "#ffff00", "#00ffff"}, "no colour of ours is mixed in"


def test_a_systems_colours_that_are_hard_to_read_are_replaced() -> None:
    pale = palette(ground="#ffffff", ink="#999999", mark="#ffff00", on_mark="#000000", link="#0000ff")
    assert theme.forced(pale) is HIGH_CONTRAST


def test_high_contrast_goes_on_and_off_and_text_stays_within_its_sizes() -> None:
    look = dressed(DARK)
    look.set_high_contrast(True)
    assert look.theme is HIGH_CONTRAST
    look.set_high_contrast(False)
    assert look.theme is DARK
    look.resize(99)
    assert look.scale == 2.0
    look.resize(-99)
    assert look.scale == 1.0
    look = dressed(HIGH_CONTRAST)
    assert look.has_high_contrast
    look.set_high_contrast(False)
    assert look.theme is LIGHT


def test_the_style_sheet_grows_but_for_thin_lines() -> None:
    once, twice = sheet.write(LIGHT), sheet.write(LIGHT, 2.0)
    assert "font-size: 14px" in once
    assert "font-size: 28px" in twice
    assert "font-size: 14px" not in twice
    assert "3px solid" in twice
    assert "$" not in twice

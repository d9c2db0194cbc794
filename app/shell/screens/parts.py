"""The pieces that every screen is built of: labels (plain text, always), buttons, cards, layouts."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.shell.screens.pictures import Picture


def label(text: str, role: str = "", *, wrap: bool = True) -> QLabel:
    """Return a label that never reads its text as markup."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setText(text)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Change how ``widget`` looks."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def button(text: str, role: str = "") -> QPushButton:
    """Return a button that can be reached and pressed by keyboard alone (Enter and the space bar)."""
    made = QPushButton(text)
    made.setAccessibleName(text)
    made.setAutoDefault(True)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if role:
        made.setProperty("role", role)
    return made


def frame(role: str) -> QFrame:
    """Return an empty frame that the style sheet knows by ``role``."""
    made = QFrame()
    made.setProperty("role", role)
    return made


def column(parent: QWidget | None = None, *, spacing: int = 8, margin: int = 0) -> QVBoxLayout:
    """Return a vertical layout."""
    made = QVBoxLayout() if parent is None else QVBoxLayout(parent)
    made.setContentsMargins(margin, margin, margin, margin)
    made.setSpacing(spacing)
    return made


def row(parent: QWidget | None = None, *, spacing: int = 8, margin: int = 0) -> QHBoxLayout:
    """Return a horizontal layout."""
    made = QHBoxLayout() if parent is None else QHBoxLayout(parent)
    made.setContentsMargins(margin, margin, margin, margin)
    made.setSpacing(spacing)
    return made


def centred(inside: QWidget) -> QHBoxLayout:
    """Return a row with ``inside`` in its middle. Not by alignment, which would cut wrapped text off."""
    made = row(spacing=0)
    made.addStretch(1)
    made.addWidget(inside, 1000)
    made.addStretch(1)
    return made


def readable(frame: QFrame, name: str, words: str) -> QFrame:
    """Make ``frame`` a stop for Tab, so that a screen reader speaks what is in it; return it."""
    frame.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    frame.setAccessibleName(name)
    frame.setAccessibleDescription(words)
    return frame


def fact_card(name: str, heading: str, text: str) -> QFrame:
    """Return a card with a drawing, a heading and a paragraph."""
    card = frame("card")
    across = row(card, spacing=14, margin=18)
    across.addWidget(Picture(name, "accent", 24), 0, Qt.AlignmentFlag.AlignTop)
    words = column(spacing=5)
    words.addWidget(label(heading, "heading"))
    words.addWidget(label(text))
    words.addStretch(1)
    across.addLayout(words, 1)
    return readable(card, heading, text)

"""Says aloud what changes by itself, through whatever screen reader runs; without one nothing happens. GUI thread.

A screen reader speaks what has the focus. What changes elsewhere (the network is gone, the exam is covered, the last
five minutes) has to be announced, or it is not known to somebody who can't see it.
"""

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget


def wake_engine() -> None:
    """Have the browser engine describe its pages to a screen reader that was there before the engine was.

    WORKAROUND (seen with Qt 6.11.3): the engine follows changes of whether accessibility is active, but does not ask
    when it starts; a page made while a screen reader runs stays empty for it. To be called once the first page exists.
    """
    if QAccessible.isActive():
        QAccessible.setActive(False)
        QAccessible.setActive(True)


def announce(widget: QWidget, words: str, *, urgent: bool = False) -> None:
    """Have ``words`` spoken; ``urgent`` ones at once, others when the reader has finished its sentence."""
    if not words or not QAccessible.isActive():
        return
    event = QAccessibleAnnouncementEvent(widget, words)
    politeness = QAccessible.AnnouncementPoliteness
    event.setPoliteness(politeness.Assertive if urgent else politeness.Polite)
    QAccessible.updateAccessibility(event)

"""Keys that belong to the exam screen although the page has the keyboard: zoom, and the way to the bar. GUI thread."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent

ZOOM = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1, Qt.Key.Key_Underscore: -1, Qt.Key.Key_0: 0}
"""Steps by key, with Ctrl; 0 is back to normal. The signs of the number pad are the same keys to Qt."""


class TabKeys(QObject):
    """An event filter for the web view's own input widget; on the application it would crash Qt."""

    zoom = Signal(int)
    bar_wanted = Signal()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Take these keys from the page and leave all others to it."""
        if event.type() not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride) or not isinstance(event, QKeyEvent):
            return False
        return self.take(event)

    def take(self, event: QKeyEvent) -> bool:
        """Act on ``event`` if it is one of ours, once per press; return whether it is."""
        is_press = event.type() == QEvent.Type.KeyPress
        flags = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        key = Qt.Key(event.key()) if event.key() in ZOOM or event.key() == Qt.Key.Key_F6 else None
        if key is Qt.Key.Key_F6 and flags == Qt.KeyboardModifier.NoModifier:
            if is_press and not event.isAutoRepeat():
                self.bar_wanted.emit()
            return True
        if key in ZOOM and flags == Qt.KeyboardModifier.ControlModifier:
            if is_press:
                self.zoom.emit(ZOOM[key])
            return True
        return False

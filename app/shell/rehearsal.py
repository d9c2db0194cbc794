"""Presses the buttons of a demonstration, each after a pause in which it can be read. Does nothing in a real exam."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

PACE_MS = 1_200
END_SECONDS = 5


class Rehearsal(QObject):
    """GUI thread. ``is_on`` is shown on every screen and written to the journal."""

    def __init__(self, *, is_on: bool, pace_ms: int = PACE_MS) -> None:
        super().__init__()
        self.is_on = is_on
        self._pace_ms = pace_ms

    def press(self, action: Callable[[], object]) -> None:
        """Do ``action`` as the candidate would, soon."""
        if self.is_on:
            QTimer.singleShot(self._pace_ms, self, action)

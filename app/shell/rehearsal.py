"""Presses the buttons of a demonstration, each after a pause in which it can be read.

Only where the signed policy calls the exam a demonstration: the controller switches it off in every other.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

PACE_MS = 1_200
END_SECONDS = 5


class Rehearsal(QObject):
    """GUI thread. While it ``is_on``, every screen and the journal say so."""

    def __init__(self, *, is_on: bool, pace_ms: int = PACE_MS) -> None:
        super().__init__()
        self.is_on = is_on
        self._pace_ms = pace_ms

    def press(self, action: Callable[[], object]) -> None:
        """Do ``action`` as the candidate would, soon."""
        if self.is_on:
            QTimer.singleShot(self._pace_ms, self, action)

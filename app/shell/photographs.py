"""Pictures of the screens, for the documentation and for tests that look.

GUI thread. Off unless a folder is given, and until it is allowed: a real exam's pages are nobody's to keep.
"""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

SETTLE_MS = 600


class Photographs(QObject):
    """Writes ``01-notice.png`` and so on into ``folder``, a moment after each screen has settled."""

    def __init__(self, window: QWidget, folder: Path | None) -> None:
        super().__init__(window)
        self._window = window
        self._folder = folder
        self._is_allowed = False
        self._taken: list[str] = []

    def allow(self) -> None:
        """The signed policy calls the exam a demonstration: pictures may be taken from now on."""
        self._is_allowed = True

    def take(self, name: str) -> None:
        """Take a picture soon if it is allowed; one per name."""
        if self._folder is not None and self._is_allowed and name not in self._taken:
            self._taken.append(name)
            number = len(self._taken)
            QTimer.singleShot(SETTLE_MS, self, lambda: self._save(f"{number:02}-{name}.png"))

    def _save(self, file: str) -> None:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._window.grab().save(str(self._folder / file))

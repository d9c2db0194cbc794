"""Holding the keyboard on X11: taken again and again, for nobody says when it is lost. GUI thread only.

While it is held, what is typed goes to the exam and no desktop shortcut works. Qt makes the native window anew when
the web view comes in, and a window that was unmapped has lost its grab; then another program can be quicker.
"""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.contract.times import Clock
from app.shell.losses import Losses

GRABBING_PLATFORMS = frozenset({"xcb"})
EVERY_TICKS = 5


class KeyboardHold(QObject):
    """Of ``window``, while told to ``hold``. ``taken`` carries a ``Loss``: another program held the keyboard."""

    taken = Signal(object)

    def __init__(self, clock: Clock, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._losses = Losses(clock, self.taken.emit)
        self._ticks = 0
        self.is_held = False

    @staticmethod
    def is_possible() -> bool:
        """Whether there is a keyboard to be held on this desktop."""
        return QGuiApplication.platformName() in GRABBING_PLATFORMS

    def take(self) -> None:
        """Take it, whether it is held or not. A window that is not shown can't, and that is nobody's doing."""
        if not self.is_possible():
            return
        handle = self._window.windowHandle()
        self.is_held = handle.setKeyboardGrabEnabled(True)
        if self.is_held:
            self._losses.end()
        elif handle.isExposed():
            self._losses.begin()

    def tick(self) -> None:
        """Ten times a second: take it back if it is lost, and now and then to find out whether it is."""
        self._ticks += 1
        if not self.is_held or self._ticks % EVERY_TICKS == 0:
            self.take()
        self._losses.tick()

    def let_go(self) -> None:
        """Give it back."""
        self._losses.close()
        handle = self._window.windowHandle()
        if handle is not None:
            handle.setKeyboardGrabEnabled(False)
        self.is_held = False

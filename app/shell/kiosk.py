"""The window: an ordinary one before and after the exam, the whole screen with the keyboard held during it.

GUI thread only. X11 is where all of it holds; ``holding`` and ``missing`` say what is held here. Qt never asks a Python
event filter on the application (that crashes with a web view), only on this window and on the view's input widget.
"""

from collections.abc import Collection, Mapping

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QScreen
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from app.contract.policy import Capability
from app.contract.times import Clock
from app.shell import keys
from app.shell.keyboard import KeyboardHold
from app.shell.losses import Losses
from app.shell.sent_events import XCB_EVENT, first_byte, sent_input

GRAB_MS = 100
SETTLE_MS = 2_000
KIOSK_PLATFORMS = frozenset({"xcb", "windows", "cocoa"})
ORDINARY_SIZE = (1120, 780)


class KeyGuard(QObject):
    """Swallows combinations that mean nothing in an exam (``keys.blocked``); installed on single objects only."""

    blocked = Signal(str)
    quit_pressed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.free: frozenset[str] = frozenset()
        """Names of combinations that are let through all the same."""

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Decide about one event; must be quick, it sees every key."""
        if event.type() not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride) or not isinstance(event, QKeyEvent):
            return False
        key, modifiers = _names(event)
        if key == "Q" and {"Ctrl", "Shift"} <= modifiers:
            if event.type() == QEvent.Type.KeyPress and not event.isAutoRepeat():
                self.quit_pressed.emit()
            return True
        name = keys.blocked(key, modifiers)
        if name in self.free:
            return False
        if name is not None:
            self.blocked.emit(name)
        return name is not None


class ShellWindow(QWidget):
    """The only window. ``alone``: the compositor spreads it over all displays and shows nothing else.

    While engaged it can't be closed, minimised, covered for long, or left by keyboard.
    """

    focus_lost = Signal(object)
    keyboard_taken = Signal(object)
    key_blocked = Signal(str)
    input_sent = Signal(str)
    quit_pressed = Signal()
    engaged = Signal()

    def __init__(self, clock: Clock, *, windowed: bool = False, alone: bool = False) -> None:
        super().__init__()
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle("Fairlock")
        self.pages = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self._windowed = windowed
        self._alone = alone
        self._engaged = False
        self._may_close = False
        self.focus = Losses(clock, self.focus_lost.emit)
        self._keyboard = KeyboardHold(clock, self)
        self._keyboard.taken.connect(self.keyboard_taken)
        self._covers: list[QWidget] = []
        self.keys = KeyGuard(self)
        self.keys.blocked.connect(self.key_blocked)
        self.keys.quit_pressed.connect(self.quit_pressed)
        self._hold = QTimer(self)
        self._hold.setInterval(GRAB_MS)
        self._hold.timeout.connect(self._hold_on)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self.engaged)
        application = QApplication.instance()
        assert isinstance(application, QApplication)  # noqa: S101  (a widget exists, so it does)
        application.applicationStateChanged.connect(self._follow_focus)
        application.screenAdded.connect(self._cover_screens)
        application.screenRemoved.connect(self._follow_screens)

    # --- engage and release ------------------------------------------------------------------------------------

    def show_ordinary(self) -> None:
        """Show as a window among others, in the middle of the screen, or filling a small one."""
        screen = QGuiApplication.primaryScreen().availableGeometry()
        width, height = ORDINARY_SIZE
        if self._windowed or (screen.width() > width * 1.2 and screen.height() > height * 1.15):
            self.resize(min(width, screen.width()), min(height, screen.height()))
            self.move(screen.center() - self.rect().center())
            self.show()
        else:
            self.setGeometry(screen)
            self.showMaximized()

    def engage(self) -> None:
        """Fill the screen and hold the keyboard; ``engaged`` says when it is done or will not get better."""
        if self._windowed:
            self._settle.start(0)
            return
        self._engaged = True
        self.setWindowFlags(
            Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        )
        # The geometry first: an empty web view has no size of its own, and X11 then never shows the window.
        self.setGeometry(self._screen().geometry())
        self.showFullScreen()
        self.windowHandle().installEventFilter(self.keys)
        self.raise_()
        self.activateWindow()
        self._cover_screens()
        self._hold.start()
        self._settle.start(SETTLE_MS)

    def release(self) -> None:
        """Be an ordinary window again."""
        self._hold.stop()
        self._settle.stop()
        if not self._engaged:
            return
        self._engaged = False
        self.focus.close()
        self._keyboard.let_go()
        self.windowHandle().removeEventFilter(self.keys)
        self._uncover_screens()
        self.hide()
        self.setWindowState(Qt.WindowState.WindowNoState)
        self.setWindowFlags(Qt.WindowType.Window)
        self.show_ordinary()

    def holding(self) -> frozenset[Capability]:
        """What this window holds now."""
        held = set()
        if self._engaged and QGuiApplication.platformName() in KIOSK_PLATFORMS and self._fills_screen():
            held.add(Capability.KIOSK)
        if self._keyboard.is_held:
            held.add(Capability.INPUT_GUARD)
        return frozenset(held)

    def missing(self) -> Mapping[str, str]:
        """Of what only this window can hold here, what it does not, and why."""
        reasons = {}
        held = self.holding()
        if Capability.KIOSK not in held:
            reasons[Capability.KIOSK.value] = (
                "the exam runs in a window" if self._windowed else "the desktop does not let the exam fill the screen"
            )
        if Capability.INPUT_GUARD not in held and self._keyboard.is_possible() and not self.keys.free:
            reasons[Capability.INPUT_GUARD.value] = "the desktop does not hand over the keyboard"
        return reasons

    def allow_close(self) -> None:
        """The session is over: the window may go."""
        self._may_close = True

    # --- holding on --------------------------------------------------------------------------------------------

    def _hold_on(self) -> None:
        """Every 100 ms: take back the focus and the keyboard if somebody took them."""
        self.focus.tick()
        if QApplication.activePopupWidget() is not None:
            return  # a list of choices of the page needs the keyboard itself
        if not self.windowHandle().isExposed():
            self._show_again()
        if QGuiApplication.applicationState() != Qt.ApplicationState.ApplicationActive:
            self.raise_()
            self.activateWindow()
            self._keyboard.is_held = False
        if not self.keys.free:
            self._keyboard.tick()
        if (self._keyboard.is_held or self.keys.free) and self._fills_screen() and self._settle.isActive():
            self._settle.start(0)

    def take_keyboard(self) -> None:
        """Take the keyboard, also for a native window that Qt has just made anew."""
        if not self._engaged:
            return
        self.windowHandle().installEventFilter(self.keys)
        if not self.keys.free:
            self._keyboard.take()

    def let_through(self, free: Collection[str]) -> None:
        """Leave these combinations (``keys.blocked`` names them) to the desktop and to assistive programs.

        A held keyboard belongs to one program, so then it is not held at all: what the exam window itself can keep
        from the page it does, and leaving the exam is noticed by the lost focus.
        """
        self.keys.free = frozenset(free)
        if free and self._keyboard.is_held:
            self._keyboard.let_go()

    def _follow_focus(self, state: Qt.ApplicationState) -> None:
        if not self._engaged:
            return
        if state == Qt.ApplicationState.ApplicationActive:
            self._come_back()
        else:
            self.focus.begin()

    def _come_back(self) -> None:
        self.take_keyboard()
        self.focus.end()

    def nativeEvent(self, event_type: QByteArray | bytes, message: int) -> tuple[bool, int]:  # type: ignore[override]  # noqa: N802  (Qt's name; the stub allows more types than come)
        """Drop keys and clicks that another program sent to this window; by agreement they come through."""
        sent = None
        if self._engaged and not self.keys.free and event_type == XCB_EVENT:
            sent = sent_input(first_byte(message))
        if sent is None:
            return False, 0
        self.input_sent.emit(sent)
        return True, 0

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  (Qt's name)
        """Undo being minimised, at once."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and self._engaged and self.isMinimized():
            QTimer.singleShot(0, self._restore)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  (Qt's name)
        """Only the end screen closes the window."""
        if self._may_close:
            event.accept()
        else:
            event.ignore()

    def _show_again(self) -> None:
        """Come back from being minimised when Qt has lost track of it: minimised again and again, it may believe that
        the window is shown, and then does nothing to show it.
        """
        if not self.isMinimized():
            self.windowHandle().hide()
        self._restore()

    def _restore(self) -> None:
        self.showFullScreen()
        self.raise_()
        self.activateWindow()
        self.take_keyboard()

    # --- displays ----------------------------------------------------------------------------------------------

    def _screen(self) -> QScreen:
        return self.screen()

    def _fills_screen(self) -> bool:
        screen = self._screen().geometry()
        fills = self.geometry().contains(screen) if self._alone else self.geometry() == screen
        return self.isVisible() and fills

    def _cover_screens(self, _added: QScreen | None = None) -> None:
        """Make every other display dark: one window each, so that nothing can be read there."""
        self._uncover_screens()
        if not self._engaged or self._alone:  # a second window would lie over the exam
            return
        for screen in QGuiApplication.screens():
            if screen is self._screen():
                continue
            cover = QWidget(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
            cover.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
            cover.setStyleSheet("background: black")
            cover.setGeometry(screen.geometry())
            cover.showFullScreen()
            self._covers.append(cover)

    def _uncover_screens(self) -> None:
        for cover in self._covers:
            cover.close()
            cover.deleteLater()
        self._covers.clear()

    def _follow_screens(self, _screen: QScreen) -> None:
        if self._engaged:
            self.setGeometry(self._screen().geometry())
            self.showFullScreen()
            self._cover_screens()


def _names(event: QKeyEvent) -> tuple[str, frozenset[str]]:
    try:
        key = Qt.Key(event.key()).name.removeprefix("Key_")
    except ValueError:
        key = ""
    flags = event.modifiers()
    known = (
        ("Ctrl", Qt.KeyboardModifier.ControlModifier),
        ("Shift", Qt.KeyboardModifier.ShiftModifier),
        ("Alt", Qt.KeyboardModifier.AltModifier),
        ("Meta", Qt.KeyboardModifier.MetaModifier),
    )
    return key, frozenset(name for name, flag in known if flags & flag)

"""The bar above the exam: recording sign, title, candidate, badges, network, battery, time, and the tools."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.shell import text
from app.shell.announcing import announce
from app.shell.screens import parts
from app.shell.screens.fitting import Elided, Halves
from app.shell.screens.pictures import Picture, Tool, scale_of

SAID_S = (1_800, 900, 300, 60)
"""Seconds left at which the time is announced: 30, 15, 5 and 1 minutes."""
LOW_CHARGE = 15


class RecordingSign(QLabel):
    """A red dot. It does not blink: the exam needs the candidate's attention more."""

    def __init__(self) -> None:
        super().__init__()
        self._on = True
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("tone", "bad")
        self.setAccessibleName(text.RECORDING_NAME)
        self._fit()

    def set_on(self, on: bool) -> None:
        """Show whether the recording runs."""
        if on != self._on:
            self._on = on
            self.setAccessibleName(text.RECORDING_NAME if on else text.NOT_RECORDING)
            self.update()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  (Qt's name)
        """Grow with the text."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._fit()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Draw the dot, hollow when the recording restarts."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().windowText().color()
        painter.setPen(colour)
        painter.setBrush(colour if self._on else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(self.rect().adjusted(2, 2, -2, -2))
        painter.end()

    def _fit(self) -> None:
        size = round(14 * scale_of(self))
        self.setFixedSize(size, size)


class ExamBar(Halves):
    """Shows; decides nothing. What changes by itself is announced as well."""

    reload = Signal()
    zoom = Signal(int)
    rest = Signal()

    def __init__(
        self,
        *,
        title: str,
        candidate: str,
        badges: tuple[tuple[str, str], ...] = (),
        breaks: bool = False,
        watched: bool = False,
    ) -> None:
        super().__init__("bar", margins=(16, 7, 12, 7))
        self._is_online = True
        self._is_low = False
        self._seconds: float | None = None
        self._sign = RecordingSign()
        self._recording = parts.label(text.RECORDING, "recording", wrap=False)
        self._watched = Elided(text.RECORDING_WATCHED if watched else "", "muted", letters=20)
        self.left.addWidget(self._sign)
        self.left.addWidget(self._recording)
        self.left.addWidget(self._watched)
        self._watched.setVisible(watched)
        for words, meaning in badges:
            self.left.addWidget(_badge(words, meaning), 0, Qt.AlignmentFlag.AlignVCenter)
        self.left.addSpacing(8)
        self.left.addWidget(Elided(title, "heading", letters=12), 1)
        person = Elided(candidate, "muted", letters=24)
        person.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.left.addWidget(person)
        self.right.addStretch(1)
        self._network_icon, self._network = self._add_state("network", text.ONLINE)
        self._battery_icon, self._battery = self._add_state("battery", "")
        self.show_battery(None)
        self.right.addSpacing(6)
        self._time = parts.label("", "time", wrap=False)
        self._time_kind = parts.label("", "muted", wrap=False)
        self.right.addWidget(self._time)
        self.right.addWidget(self._time_kind)
        self.right.addSpacing(6)
        self._add_tools(breaks=breaks)

    def show_recording(self, on: bool) -> None:
        """Show whether the recording runs."""
        self._sign.set_on(on)
        words = text.RECORDING if on else text.NOT_RECORDING
        self._watched.setVisible(on and bool(self._watched.text()))
        if words != self._recording.text():
            self._recording.setText(words)
            announce(self, words)

    def show_network(self, *, online: bool, pending_bytes: int, held_back: bool = False) -> None:
        """Show whether the server is reached, and what waits when it is not, or when sending is held back."""
        waits = pending_bytes and (held_back or not online)
        waiting = f", {text.WAITING.format(size=text.size(pending_bytes))}" if waits else ""
        why = text.HELD_BACK_LONG if held_back else ""
        self._network.say((text.ONLINE if online else text.OFFLINE) + waiting, why if online else text.OFFLINE_LONG)
        parts.set_role(self._network, "muted" if online else "warn")
        self._network_icon.show_as("network" if online else "offline", "muted" if online else "warn")
        if online != self._is_online:
            self._is_online = online
            announce(self, text.ONLINE if online else f"{text.OFFLINE}. {text.OFFLINE_LONG}")

    def show_battery(self, percent: int | None, *, plugged: bool = True) -> None:
        """Show the charge; nothing on a computer without a battery."""
        for part in (self._battery_icon, self._battery):
            part.setVisible(percent is not None)
        if percent is None:
            return
        low = percent <= LOW_CHARGE and not plugged
        self._battery.say(f"{percent} %")
        self._battery.setAccessibleName(text.battery(percent, plugged=plugged))
        parts.set_role(self._battery, "bad" if low else "muted")
        self._battery_icon.show_as("battery", "bad" if low else "muted")
        if low and not self._is_low:
            announce(self, text.battery(percent, plugged=plugged), urgent=True)
        self._is_low = low

    def show_time(self, seconds: float, *, left: bool) -> None:
        """Show the time left, or the time elapsed where there is no limit."""
        before, self._seconds = self._seconds, seconds
        self._time.setText(text.clock(seconds))
        self._time.setAccessibleName(text.spoken_time(seconds, left=left))
        self._time_kind.setText(text.TIME_LEFT if left else text.TIME_ELAPSED)
        parts.set_role(self._time, "time-low" if left and seconds < 300 else "time")
        if left and before is not None and any(seconds <= mark < before for mark in SAID_S):
            announce(self, text.spoken_time(seconds, left=True), urgent=True)

    def take_focus(self) -> None:
        """Let the keyboard reach the first tool."""
        self._first_tool.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _add_state(self, name: str, words: str) -> tuple[Picture, Elided]:
        sign, said = Picture(name, "muted", 20), Elided(words, "muted", letters=24, least=6)
        self.right.addWidget(sign)
        self.right.addWidget(said)
        return sign, said

    def _add_tools(self, *, breaks: bool) -> None:
        rest = parts.button(text.BREAK_TAKE, "tool")
        rest.clicked.connect(self.rest)
        rest.setVisible(breaks)
        smaller, larger = Tool("minus", text.SMALLER), Tool("plus", text.LARGER)
        again = Tool("reload", text.RELOAD)
        smaller.clicked.connect(self._zoom_out)
        larger.clicked.connect(self._zoom_in)
        again.clicked.connect(self.reload)
        made: tuple[QWidget, ...] = (rest, smaller, larger, again)
        for one in made:
            self.right.addWidget(one)
        self._first_tool = rest if breaks else smaller

    def _zoom_in(self) -> None:
        self.zoom.emit(1)

    def _zoom_out(self) -> None:
        self.zoom.emit(-1)


def _badge(words: str, meaning: str) -> QLabel:
    made = parts.label(words, "badge", wrap=False)
    made.setToolTip(meaning)
    made.setAccessibleName(words)
    made.setAccessibleDescription(meaning)
    return made

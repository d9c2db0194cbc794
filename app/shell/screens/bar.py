"""The bar above the exam: recording sign, title, candidate, badges, network, battery, time, and three tools."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from app.shell import icons, text
from app.shell.screens import parts
from app.shell.theme import Theme

HEIGHT = 52


class RecordingSign(QWidget):
    """A red dot. It does not blink: the exam needs the candidate's attention more."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._on = True
        self.setFixedSize(14, 14)
        self.setAccessibleName(text.RECORDING_NAME)

    def set_on(self, on: bool) -> None:
        """Show whether the recording runs."""
        if on != self._on:
            self._on = on
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Draw the dot, hollow when the recording restarts."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(self._theme.bad)
        painter.setPen(colour)
        painter.setBrush(colour if self._on else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(2, 2, 10, 10)
        painter.end()


class ExamBar(QFrame):
    """Shows; decides nothing."""

    reload = Signal()
    zoom = Signal(int)

    def __init__(self, theme: Theme, *, title: str, candidate: str, badges: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "bar")
        self.setFixedHeight(HEIGHT)
        self._across = parts.row(self, spacing=10)
        self._across.setContentsMargins(16, 0, 12, 0)
        self._sign = RecordingSign(theme)
        self._recording = parts.label(text.RECORDING, "recording", wrap=False)
        self._across.addWidget(self._sign)
        self._across.addWidget(self._recording)
        for words, meaning in badges:
            self._across.addWidget(_badge(words, meaning), 0, Qt.AlignmentFlag.AlignVCenter)
        self._across.addSpacing(8)
        self._add_names(title, candidate)
        self._network_icon, self._network = self._add_state("network", text.ONLINE)
        self._battery_icon, self._battery = self._add_state("battery", "")
        self.show_battery(None)
        self._across.addSpacing(6)
        self._time = parts.label("", "time", wrap=False)
        self._time_kind = parts.label("", "muted", wrap=False)
        self._across.addWidget(self._time)
        self._across.addWidget(self._time_kind)
        self._across.addSpacing(6)
        self._add_tools()

    def show_recording(self, on: bool) -> None:
        """Show whether the recording runs."""
        self._sign.set_on(on)
        self._recording.setText(text.RECORDING if on else text.NOT_RECORDING)

    def show_network(self, *, online: bool, pending_bytes: int) -> None:
        """Show whether the server is reached, and what waits when it is not."""
        waiting = f", {text.WAITING.format(size=text.size(pending_bytes))}" if pending_bytes and not online else ""
        self._network.setText((text.ONLINE if online else text.OFFLINE) + waiting)
        self._network.setToolTip("" if online else text.OFFLINE_LONG)
        parts.set_role(self._network, "muted" if online else "warn")
        colour = self._theme.muted if online else self._theme.warn
        self._network_icon.setPixmap(icons.pixmap("network" if online else "offline", colour, 20))

    def show_battery(self, percent: int | None, *, plugged: bool = True) -> None:
        """Show the charge; nothing on a computer without a battery."""
        for part in (self._battery_icon, self._battery):
            part.setVisible(percent is not None)
        if percent is None:
            return
        low = percent <= 15 and not plugged
        self._battery.setText(f"{percent} %")
        self._battery.setAccessibleName(f"Battery {percent} percent{', charging' if plugged else ''}")
        parts.set_role(self._battery, "bad" if low else "muted")
        self._battery_icon.setPixmap(icons.pixmap("battery", self._theme.bad if low else self._theme.muted, 20))

    def show_time(self, seconds: float, *, left: bool) -> None:
        """Show the time left, or the time elapsed where there is no limit."""
        self._time.setText(text.clock(seconds))
        self._time_kind.setText(text.TIME_LEFT if left else text.TIME_ELAPSED)
        parts.set_role(self._time, "time-low" if left and seconds < 300 else "time")

    def _add_names(self, title: str, candidate: str) -> None:
        names = QWidget()
        inside = parts.row(names, spacing=10)
        heading = parts.label(title, "heading", wrap=False)
        heading.setMinimumWidth(40)
        heading.setSizePolicy(heading.sizePolicy().Policy.Ignored, heading.sizePolicy().Policy.Preferred)
        heading.setToolTip(title)
        inside.addWidget(heading, 3)
        person = parts.label(candidate, "muted", wrap=False)
        person.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        person.setMaximumWidth(220)
        inside.addWidget(person, 0)
        self._across.addWidget(names, 1)
        self._across.addSpacing(8)

    def _add_state(self, name: str, words: str) -> tuple[QLabel, QLabel]:
        sign, said = parts.picture(name, self._theme.muted, 20), parts.label(words, "muted", wrap=False)
        self._across.addWidget(sign)
        self._across.addWidget(said)
        return sign, said

    def _add_tools(self) -> None:
        smaller = parts.tool("minus", text.SMALLER, self._theme)
        larger = parts.tool("plus", text.LARGER, self._theme)
        again = parts.tool("reload", text.RELOAD, self._theme)
        smaller.clicked.connect(self._zoom_out)
        larger.clicked.connect(self._zoom_in)
        again.clicked.connect(self.reload)
        for made in (smaller, larger, again):
            self._across.addWidget(made)

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

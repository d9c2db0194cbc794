"""The second hand: moves the bar's clock and battery, says when time is up, and closes an end that nobody closes."""

from PySide6.QtCore import QObject, QTimer, Signal

from app.contract.times import Clock
from app.shell.countdown import Countdown
from app.shell.power import battery
from app.shell.rehearsal import END_SECONDS
from app.shell.stage import Stage

TICK_MS = 1_000
BATTERY_EVERY = 30


class Timekeeper(QObject):
    """GUI thread. ``time_up`` comes once the time allowed is over, ``closing_done`` after the last screen's seconds."""

    time_up = Signal()
    closing_done = Signal()

    def __init__(self, stage: Stage, clock: Clock) -> None:
        super().__init__()
        self._stage = stage
        self._clock = clock
        self.countdown = Countdown(clock, None)
        self._ticks = 0
        self._closing_s: int | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)

    def allow(self, duration_s: int | None, *, used_s: float = 0.0, expires_ms: int | None = None) -> None:
        """Set the time allowed, what of it an earlier run of the application used, and when the exam closes (UTC)."""
        closes_in_s = None if expires_ms is None else (expires_ms - self._clock.now().utc_ms) / 1000
        self.countdown = Countdown(self._clock, duration_s, used_s=used_s, closes_in_s=closes_in_s)

    def begin(self) -> None:
        """The exam is seen for the first time."""
        self.countdown.start()
        self._timer.start()
        self.tick()

    def begin_closing(self, seconds: int = END_SECONDS) -> None:
        """The last screen of a demonstration, or of a testing centre's seat, is seen."""
        self._closing_s = seconds
        self._stage.show_end_countdown(seconds)
        self._timer.start()

    def stop(self) -> None:
        """Stand still for good."""
        self._timer.stop()

    def tick(self) -> None:
        """A second has passed."""
        if self._closing_s is not None:
            self._closing_s -= 1
            self._stage.show_end_countdown(max(0, self._closing_s))
            if self._closing_s <= 0:
                self.closing_done.emit()
        elif self.countdown.is_up():
            self.time_up.emit()
        elif self._stage.exam is not None:
            bar = self._stage.exam.bar
            bar.show_time(self.countdown.shown_s(), left=self.countdown.has_limit)
            if self._ticks % BATTERY_EVERY == 0:
                charge = battery()
                bar.show_battery(charge.percent if charge else None, plugged=charge.plugged if charge else True)
            self._ticks += 1

"""Whether this computer runs on its battery: asked now and then, for detection to spare it. Any thread; read-only."""

from collections.abc import Callable

import psutil

from app.contract.times import Clock, Instant

ASK_S = 30.0


class Battery:
    """Remembers the answer for ``ASK_S``: a look at a picture must not wait for the firmware each time."""

    def __init__(self, clock: Clock, ask: Callable[[], bool] | None = None) -> None:
        self._clock = clock
        self._ask = ask or _on_battery
        self._asked: Instant | None = None
        self._answer = False

    def in_use(self) -> bool:
        """Say whether the battery is what feeds this computer; a computer without one is on mains."""
        now = self._clock.now()
        if self._asked is None or now.seconds_since(self._asked) >= ASK_S:
            self._asked, self._answer = now, self._ask()
        return self._answer


def _on_battery() -> bool:
    sensors = getattr(psutil, "sensors_battery", None)  # not on every system
    try:
        found = sensors() if sensors is not None else None
    except (OSError, RuntimeError):
        return False
    return found is not None and found.power_plugged is False

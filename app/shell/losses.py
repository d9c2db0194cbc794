"""What the window has lost for a while (the focus, the keyboard), told with how long and once for a quick succession.

Pure; ``app.shell.kiosk`` feeds it ten times a second from the GUI thread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.contract.times import Clock, Instant

LASTING_S = 1.0
"""A loss that lasts this long is told before its end."""

QUIET_S = 2.0
"""What is lost again within this time is one loss: a program that snatches the focus ten times a second."""


@dataclass(slots=True, kw_only=True)
class Loss:
    """``until`` is ``None`` while it lasts; ``lost_ms`` is without the times in between when all was well."""

    since: Instant
    until: Instant | None = None
    lost_ms: int = 0
    times: int = 1
    by: dict[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, str]:
        """Return the facts of an incident about it: how long, how often, and who, as far as known."""
        said = dict(self.by)
        if self.until is not None:
            said["duration_ms"] = str(self.lost_ms)
        if self.times > 1:
            said["times"] = str(self.times)
        return said


class Losses:
    """Tells ``say`` of each loss when it is over, and of a long one beforehand as well."""

    def __init__(self, clock: Clock, say: Callable[[Loss], None]) -> None:
        self._clock = clock
        self._say = say
        self._loss: Loss | None = None
        self._began: Instant | None = None
        self._is_said = False

    def begin(self) -> None:
        """It is lost now; no change if it was before."""
        if self._began is not None:
            return
        now = self._began = self._clock.now()
        if self._loss is None:
            self._loss = Loss(since=now)
        else:
            self._loss.times += 1

    def end(self) -> None:
        """It is back; no change if it was never lost."""
        if self._loss is None or self._began is None:
            return
        began, self._began = self._began, None
        self._loss.until = self._clock.now()
        self._loss.lost_ms += round(self._loss.until.seconds_since(began) * 1000)

    def blame(self, by: Mapping[str, str]) -> bool:
        """Add who took it, if anything is lost or just was; whether it was."""
        if self._loss is None:
            return False
        self._loss.by = {name: text for name, text in by.items() if name != "duration_ms"}
        return True

    def tick(self) -> None:
        """Say what is to be said by now."""
        if self._loss is None:
            return
        now = self._clock.now()
        if self._began is None:
            assert self._loss.until is not None  # noqa: S101  (it has ended)
            if now.seconds_since(self._loss.until) >= QUIET_S:
                self.close()
        elif not self._is_said and now.seconds_since(self._began) >= LASTING_S:
            self._is_said = True
            self._loss.until = None
            self._say(self._loss)

    def close(self) -> None:
        """Nothing will be lost any more: say what is left to be said."""
        self.end()
        loss, self._loss, self._is_said = self._loss, None, False
        if loss is not None:
            self._say(loss)

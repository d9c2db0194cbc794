"""Keeps the computer awake by asking its login manager and its desktop, with the programs they bring for that.

Each of these programs asks, then runs another one and holds the request until that has ended. The other one is
``cat``, which ends when our end of its pipe is closed: also when this process is killed. So nothing has to be undone.
Desktops without such a program are asked over their message bus (``lockdown.linux_system.screen_saver``).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from app.contract.errors import Unsupported
from lockdown.capabilities import Measure, Undo, unsupported

LOGIND = "sleep"
INHIBITORS: Mapping[str, Sequence[str]] = {
    LOGIND: (
        *("systemd-inhibit", "--what=idle:sleep", "--who=Fairlock", "--why=An exam is running", "--mode=block"),
        "cat",
    ),
    "GNOME's screen saver": (
        *("gnome-session-inhibit", "--app-id", "fairlock", "--reason", "An exam is running"),
        *("--inhibit", "suspend:idle", "cat"),
    ),
    "MATE's screen saver": (
        *("mate-session-inhibit", "--app-id", "fairlock", "--reason", "An exam is running"),
        *("--inhibit", "suspend:idle", "cat"),
    ),
}
"""What each holds off, and its command."""


class Held(Protocol):
    """A request that stands until it is ended, as by a program that runs for as long (``app.external.Held``)."""

    @property
    def is_running(self) -> bool:
        """Whether it stands."""
        ...

    def end(self) -> None:
        """End it. Idempotent."""
        ...


Hold = Callable[[Sequence[str]], Held]


class Inhibitor:
    """Holds off what ``ask`` asks for, which raises ``Unsupported`` where that is refused.

    Implements ``SleepGuard`` together with others.
    """

    def __init__(self, ask: Callable[[], Held]) -> None:
        self._ask = ask
        self._held: Held | None = None

    def plan(self) -> Sequence[Undo]:
        """Return nothing: the request ends with this process."""
        return ()

    def engage(self) -> None:
        """Ask, unless the request stood when ``holds`` last looked. Raises ``Unsupported`` if that is refused.

        It does not look once more: others wait while something is engaged.
        """
        if self._held is None:
            self._held = self._ask()

    def holds(self) -> bool:
        """Whether the request stands; one that no longer does is given up, so that ``engage`` asks anew."""
        if self._held is not None and not self._held.is_running:
            self.release()
        return self._held is not None

    def release(self) -> None:
        """Take the request back."""
        held, self._held = self._held, None
        if held is not None:
            held.end()


class Awake:
    """Several measures against sleep as one; what one of them can't do is its ``limit``, as long as another one can.

    Implements ``SleepGuard``.
    """

    def __init__(self, measures: Mapping[str, Measure | Unsupported]) -> None:
        self._measures = {name: part for name, part in measures.items() if not isinstance(part, Unsupported)}
        self._reasons = {name: str(part.args[0]) for name, part in measures.items() if isinstance(part, Unsupported)}
        self._engaged: set[str] = set()  # also those that were lost since: they are to come back
        if not self._measures:
            raise unsupported(" ".join(self._reasons.values()) or "Nothing here holds sleep off.")

    @property
    def limit(self) -> str:
        """What is not held off, and why; known after ``engage``."""
        return " ".join(
            f"Not held off: {name} ({reason.rstrip('.')})." for name, reason in sorted(self._reasons.items())
        )

    def plan(self) -> Sequence[Undo]:
        """Return the undo data of all."""
        return [undo for measure in self._measures.values() for undo in measure.plan()]

    def engage(self) -> None:
        """Engage all; raises the last reason if none could be."""
        problem: Unsupported | None = None
        engaged = set()
        for name, measure in self._measures.items():
            try:
                measure.engage()
            except Unsupported as error:
                self._reasons[name] = str(error.args[0])
                problem = error
            else:
                engaged.add(name)
                self._reasons.pop(name, None)
        self._engaged |= engaged
        if problem is not None and not engaged:
            raise problem

    def holds(self) -> bool:
        """Whether all that could be engaged, at whatever time, still are. Asks each of them (``Inhibitor.holds``)."""
        held = [self._measures[name].holds() for name in self._engaged]
        return bool(held) and all(held)

    def release(self) -> None:
        """Give back what lives in this process."""
        for measure in self._measures.values():
            measure.release()


def inhibitors(hold: Hold, is_installed: Callable[[str], bool]) -> Mapping[str, Measure]:
    """Return one measure for the login manager, and one for each desktop whose program is installed."""
    return {
        name: Inhibitor(partial(hold, command))
        for name, command in INHIBITORS.items()
        if name == LOGIND or is_installed(command[0])
    }

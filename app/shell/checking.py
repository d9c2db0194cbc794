"""The checks of one round, from three sides (recorder, guard, this process), and what they come to. Pure."""

from collections.abc import Sequence

from app.messages import Check, ProcessInfo
from app.shell import text


class Round:
    """Collects; ``is_complete`` once the recorder has said it is done and the guard has looked at the programs."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._programs: tuple[ProcessInfo, ...] | None = None
        self.recorder_done = False
        self.still_running = False

    def add(self, check: Check) -> None:
        """Take a result; a later one of the same name replaces it."""
        self._checks[check.name] = check

    def found(self, programs: Sequence[ProcessInfo]) -> None:
        """Take the list of programs that must not run."""
        self._programs = tuple(programs)

    def could_not_close(self, programs: Sequence[ProcessInfo]) -> None:
        """Take the programs that would not end."""
        self._programs = tuple(programs)
        self.still_running = True

    @property
    def programs(self) -> tuple[ProcessInfo, ...]:
        """What has to be closed."""
        return self._programs or ()

    @property
    def is_complete(self) -> bool:
        """Whether everybody has answered."""
        return self.recorder_done and self._programs is not None

    @property
    def is_good(self) -> bool:
        """Whether the exam may start, once the programs are closed."""
        return (
            self.is_complete and not self.still_running and all(c.ok or not c.blocking for c in self._checks.values())
        )


def own_checks(*, platform: str, sandbox: bool, displays: int) -> tuple[Check, ...]:
    """Return what this process knows. ``platform`` is Qt's name for the window system."""
    desktop = {
        "offscreen": Check(name="Desktop", ok=False, blocking=False, message=text.DESKTOP_NONE),
        "wayland": Check(name="Desktop", ok=False, blocking=False, message=text.DESKTOP_WAYLAND),
    }
    good = Check(name="Desktop", ok=True, blocking=False, message=text.DESKTOP_GOOD)
    many = text.DISPLAYS_ONE if displays == 1 else text.DISPLAYS_MANY.format(count=displays)
    return (
        desktop.get(platform, good),
        Check(name="Displays", ok=True, blocking=False, message=many),
        Check(
            name="Browser",
            ok=sandbox,
            blocking=False,
            message=text.SANDBOX_GOOD if sandbox else text.SANDBOX_ROOT,
        ),
    )

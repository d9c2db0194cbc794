"""The checks before the exam: starts a round, shows what comes in, closes programs, and says when all is right.

GUI thread. What the checks come to is decided by ``app.shell.checking``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from app.contract.policy import Policy
from app.messages import Check, Concern, DevicesFound, Preview, ProcessInfo
from app.shell.checking import Machine, Round, checks_of, own_checks, whole_check
from app.shell.rehearsal import Rehearsal
from app.shell.screens.checks import ChecksScreen
from app.shell.stage import Stage


class ChecksRecorder(Protocol):
    """What is asked of the recorder."""

    def run_checks(self) -> None:
        """Check devices, disk and server."""
        ...


class ChecksGuard(Protocol):
    """What is asked of the guard."""

    def look_around(self) -> None:
        """List the programs that must not run, and look at the machine."""
        ...

    def close_programs(self) -> None:
        """End them."""
        ...


class Preparation:
    """``passed`` and ``left`` are called when the candidate goes on, or leaves (a demonstration that can't go on)."""

    def __init__(
        self,
        stage: Stage,
        machine: Machine,
        rehearsal: Rehearsal,
        *,
        passed: Callable[[], None],
        left: Callable[[], None],
    ) -> None:
        self._stage = stage
        self._machine = machine
        self._rehearsal = rehearsal
        self._passed = passed
        self._left = left
        self._round = Round()
        self._screen: ChecksScreen | None = None
        self._policy: Policy | None = None

    def attach(self, recorder: ChecksRecorder, guard: ChecksGuard) -> None:
        """Use these two from now on."""
        self._recorder, self._guard = recorder, guard

    def begin(self, policy: Policy) -> None:
        """Start a round, the first or another."""
        self._policy = policy
        self._round = Round()
        self._screen = self._stage.show_checks()
        for check in own_checks(self._machine, policy.lockdown.require):
            self.add(check)
        self._recorder.run_checks()
        self._guard.look_around()

    def end(self) -> None:
        """The screen is about to go."""
        self._screen = None

    def add(self, check: Check) -> None:
        """Take and show one result."""
        self._round.add(check)
        if self._screen is not None:
            self._screen.show_check(check)

    def recorder_done(self) -> None:
        """The recorder has no more results."""
        self._round.recorder_done = True
        self._show()

    def devices_found(self, found: DevicesFound) -> None:
        """Show what camera and microphone may be, and what the checks come to with those that are in use now."""
        if self._screen is None:
            return
        self._screen.preview.show_devices(found.devices)
        if self._round.is_complete:
            self._screen.show_result(good=self._round.is_good, programs=bool(self._shown()), take_focus=False)

    def previewed(self, preview: Preview) -> None:
        """Show what camera and microphone yield."""
        if self._screen is not None:
            self._screen.preview.show_preview(preview.picture, preview.level_dbfs)

    def programs_found(self, programs: Sequence[ProcessInfo]) -> None:
        """Take what must not run."""
        self._round.found(programs)
        self._show()

    def examined(self, concerns: Sequence[Concern], limits: Mapping[str, str]) -> None:
        """Take what the guard minds about this computer, and what holds only in part though it is required whole."""
        for check in (*checks_of(concerns), *whole_check(limits)):
            self.add(check)
        self._round.examined()
        self._show()

    def programs_closed(self, left: Sequence[ProcessInfo]) -> None:
        """The programs were ended, but for ``left``."""
        if left:
            self._round.could_not_close(left)
            self._show()
        else:
            self._passed()

    def proceed(self) -> None:
        """The candidate wants to start: close what must be closed first."""
        if self._screen is None or not self._round.is_good:
            return
        if self._round.programs:
            self._screen.show_closing()
            self._guard.close_programs()
        else:
            self._passed()

    def _show(self) -> None:
        if self._screen is None or self._policy is None or not self._round.is_complete:
            return
        lockdown, current, shown = self._policy.lockdown, self._round, self._shown()
        self._screen.show_programs(shown, grace_s=lockdown.close_grace_ms / 1000, still_running=current.still_running)
        self._screen.show_result(good=current.is_good, programs=bool(shown))
        self._stage.photograph("checked")
        self._rehearsal.press(self.proceed if current.is_good else self._left)

    def _shown(self) -> Sequence[ProcessInfo]:
        """Return the programs to be closed that the candidate is shown."""
        asks = self._policy is not None and self._policy.lockdown.ask_before_closing
        return self._round.programs if asks or self._round.still_running else ()

"""A desktop made of memory: processes, measures and watches that do what a script says. For tests and rehearsals.

It is part of the product so that the shell's and the guard's tests stand on the same fake, which passes the same
conformance suite as the real desktops.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from app.contract.errors import Unsupported
from lockdown.capabilities import Finding, Undo
from lockdown.processes import NOTHING_KNOWN, Identity, Program

FAKE_USER = "1000"


class FakeTable:
    """Processes that exist because a test says so. ``stubborn`` ones ignore the polite signal, ``immortal`` all."""

    def __init__(self, programs: Iterable[Program] = ()) -> None:
        self.programs = {program.pid: program for program in programs}
        self.hashes: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.identities: dict[str, Identity] = {}
        self.stubborn: set[int] = set()
        self.immortal: set[int] = set()
        self.signals: list[tuple[str, int]] = []
        self.looks = 0

    def start(self, name: str, *, pid: int, path: str = "", user: str = FAKE_USER, parent: int = 1) -> Program:
        """Add a process and return it."""
        path = path or f"/opt/{name}/{name}"
        program = Program(pid=pid, parent=parent, created=1000.0 + pid, name=name, path=path, user=user)
        self.programs[pid] = program
        return program

    def reuse(self, pid: int, name: str) -> None:
        """Let ``pid`` end and name another process from now on."""
        old = self.programs[pid]
        self.programs[pid] = replace(old, created=old.created + 500, name=name, path=f"/usr/bin/{name}")

    def pids(self) -> frozenset[int]:
        """Return the ids of all processes."""
        return frozenset(self.programs)

    def look(self, pid: int) -> Program | None:
        """Return what can be seen of ``pid``."""
        self.looks += 1
        return self.programs.get(pid)

    def identity(self, program: Program) -> Identity:
        """Return what the test gave its path."""
        return self.identities.get(program.path, NOTHING_KNOWN)

    def sha256(self, program: Program) -> str | None:
        """Return the hash that the test gave its path."""
        return self.hashes.get(program.path)

    def hold(self, program: Program) -> "FakeExecutable | None":
        """Hold what the test gave its path, if it still runs."""
        if self.programs.get(program.pid) != program:
            return None
        return FakeExecutable(self.hashes.get(program.path), self.sizes.get(program.path, 0))

    def own_user(self) -> str:
        """Return the fake user."""
        return FAKE_USER

    def terminate(self, program: Program) -> None:
        """Note the signal; end the process unless it is stubborn or immortal."""
        self.signals.append(("terminate", program.pid))
        if program.pid not in self.stubborn | self.immortal:
            self.programs.pop(program.pid, None)

    def kill(self, program: Program) -> None:
        """Note the signal; end the process unless it is immortal."""
        self.signals.append(("kill", program.pid))
        if program.pid not in self.immortal:
            self.programs.pop(program.pid, None)


class FakeExecutable:
    """An executable with a hash and a size, of which nothing is read."""

    def __init__(self, digest: str | None, size: int) -> None:
        self._digest = digest
        self.cost = size
        self.is_closed = False

    def sha256(self, cancelled: Callable[[], bool] = lambda: False) -> str | None:
        """Return the hash."""
        return None if cancelled() else self._digest

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


class FakeDesktop:
    """Settings of a desktop that does not exist; survives the "crash" of whoever changed them."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}

    def replay(self, arguments: Mapping[str, str]) -> None:
        """Put one setting back, as a replay function does."""
        self.settings[arguments["setting"]] = arguments["value"]


class FakeMeasure:
    """Holds ``setting`` at "held" and can be undone."""

    def __init__(self, desktop: FakeDesktop, setting: str) -> None:
        self._desktop = desktop
        self._setting = setting
        self._desktop.settings.setdefault(setting, "free")
        self.fails: Unsupported | None = None

    def plan(self) -> Sequence[Undo]:
        """Return how to put the setting back."""
        value = self._desktop.settings[self._setting]
        arguments = {"setting": self._setting, "value": value}
        return (Undo(kind=f"fake-{self._setting}", arguments=arguments, says=f"{self._setting} set back"),)

    def engage(self) -> None:
        """Change the setting, or raise what the script says."""
        if self.fails is not None:
            raise self.fails
        self._desktop.settings[self._setting] = "held"

    def holds(self) -> bool:
        """Whether the setting is as engaged."""
        return self._desktop.settings[self._setting] == "held"

    def release(self) -> None:
        """Nothing lives in this process."""


class FakeWatch:
    """Answers with the scripted findings, one batch per call, then with nothing; raises a scripted error."""

    def __init__(self, *batches: Sequence[Finding] | Unsupported) -> None:
        self._batches = iter(batches)

    def observe(self) -> Sequence[Finding]:
        """Return the next batch."""
        batch = next(self._batches, ())
        if isinstance(batch, Unsupported):
            raise batch
        return batch

"""Programs with a window that no list names: neither prohibited nor permitted, nor a part of the system.

Only told, never closed: a list can't know every honest program. Titles and contents of windows are never read; what
counts is which process has a window. Each instance is used by one thread of the guard.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from app.contract.incidents import IncidentKind
from lockdown.births import Polling
from lockdown.capabilities import Finding
from lockdown.processes import ProcessTable, Program, is_descendant
from lockdown.rules import Inspection, Rules, Surroundings, is_permitted, is_protected_by_name, match


class WindowOwners(Protocol):
    """Knows which processes have a window on the screen."""

    def pids(self) -> frozenset[int]:
        """Return their ids. Raises ``Unsupported`` if that can't be seen."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class UnknownPrograms:
    """Implements ``Watch`` and ``Alert``. ``own_root`` is the application's process id: its own tree is never told."""

    def __init__(
        self, table: ProcessTable, rules: Rules, inspect: Inspection, owners: WindowOwners, *, own_root: int
    ) -> None:
        self._table = table
        self._rules = rules
        self._inspect = inspect
        self._owners = owners
        self._own_root = own_root
        self._around = Surroundings(user=table.own_user(), own=frozenset())
        self._pause = Polling()
        self._judged: set[tuple[int, float, str]] = set()
        self._told: set[str] = set()

    def find_new(self) -> Sequence[Program]:
        """Return those not returned before; several processes of one program count once."""
        return [program for program in self._candidates() if self._is_news(program)]

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each of them."""
        return [self.finding(program) for program in self.find_new()]

    def finding(self, program: Program) -> Finding:
        """Return the finding about one."""
        original = self._inspect.identity(program).original_name
        facts = {"name": program.name, "path": program.path, "pid": str(program.pid), "original_name": original}
        return Finding(kind=IncidentKind.PROCESS_UNKNOWN, facts={name: text for name, text in facts.items() if text})

    def wait(self, seconds: float) -> None:
        """Wait."""
        self._pause.wait(seconds)

    def interrupt(self) -> None:
        """Wait no more."""
        self._pause.interrupt()

    def close(self) -> None:
        """Give back what it holds."""
        self._owners.close()

    def _candidates(self) -> Iterator[Program]:
        """Yield the programs with a window that were not judged yet as what they are now."""
        for pid in sorted(self._owners.pids()):
            program = self._table.look(pid)
            if program is None or (seen := (pid, program.created, program.path)) in self._judged:
                continue
            self._judged.add(seen)
            yield program

    def _is_news(self, program: Program) -> bool:
        name = program.path or program.name
        if name in self._told or self._is_named(program) or is_descendant(program.pid, self._own_root, self._table):
            return False
        self._told.add(name)
        return True

    def _is_named(self, program: Program) -> bool:
        return (
            program.user != self._around.user
            or is_protected_by_name(program, self._rules)
            or match(program, self._rules, self._around, self._inspect) is not None
            or is_permitted(program, self._rules, self._inspect)
        )

"""Finds prohibited programs as they start: looks at new processes only, and at all of them now and then.

``find_new`` is meant to be called at least every ``POLL_S`` seconds from one thread of the guard. A new process is
looked at again and again for ``SECOND_LOOK_S`` (between fork and exec it still has its parent's name), and all of them
every ``FULL_SCAN_S`` seconds, because a process can change its program or its name; three times as rarely where the
system tells of that. What was found innocent is judged anew when anything about it changed, and like the processes of
other users after ``FORGET_S`` in any case. It ends nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.births import Births, Polling
from lockdown.capabilities import Finding
from lockdown.family import ancestors, descendants
from lockdown.processes import Identity, ProcessTable, Program
from lockdown.rules import Match, Rules, Surroundings, is_untouchable, match

POLL_S = 0.25
FULL_SCAN_S = 5.0
FULL_SCAN_TOLD_S = 15.0
FORGET_S = 30.0
SECOND_LOOK_S = 0.5


class Copies(Protocol):
    """Knows the prohibited programs that are installed here."""

    def copy_of(self, program: Program) -> str:
        """Return the name of the prohibited program of which ``program`` is a copy, or an empty text."""
        ...


class NoCopies:
    """Where copies are known by their original name, or not at all."""

    def copy_of(self, _program: Program) -> str:
        """Return an empty text."""
        return ""


class Hashes(Protocol):
    """The SHA-256 of executables, perhaps later."""

    def sha256(self, program: Program) -> str | None:
        """Return it, or ``None`` if it can't be read or is not known yet."""
        ...

    def settled(self) -> frozenset[int]:
        """Return the processes whose hash has become known since the last call."""
        ...


class AtOnce:
    """Reads each executable when it is asked for."""

    def __init__(self, table: ProcessTable) -> None:
        self.sha256 = table.sha256

    def settled(self) -> frozenset[int]:
        """Return nothing: nobody had to wait."""
        return frozenset()


class ProcessScanner:
    """Matches the running programs against ``rules``; implements ``ProcessWatch``.

    ``own_root`` is the process id of the application: it and its descendants are never matched.
    """

    def __init__(
        self,
        table: ProcessTable,
        rules: Rules,
        clock: Clock,
        *,
        own_root: int,
        copies: Copies | None = None,
        births: Births | None = None,
        hashes: Hashes | None = None,
    ) -> None:
        self._table = table
        self._rules = rules
        self._clock = clock
        self._own_root = own_root
        self._births = births or Polling()
        self._hashes = hashes or AtOnce(table)
        self._copies = copies or NoCopies()
        self._last_full: Instant | None = None
        self._last_pass: Instant | None = None
        self._listed: frozenset[int] = frozenset()
        self._young: dict[int, Instant] = {}
        self._reported: set[tuple[int, float, str]] = set()
        self._innocent: dict[int, Program] = {}
        self._others: set[int] = set()
        self._forgot: Instant | None = None

    def find_all(self) -> Sequence[Match]:
        """Return everything that runs and is prohibited, reported before or not."""
        return self._match(self._table.pids())

    def find_new(self) -> Sequence[Match]:
        """Return the matches not reported yet, looking at as little as is safe."""
        found = [m for m in self._match(self._due(self._clock.now())) if _identity(m) not in self._reported]
        self._reported.update(_identity(m) for m in found)
        return found

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each program found since the last call."""
        return [Finding(kind=IncidentKind.PROCESS_FOUND, facts=facts_of(m)) for m in self.find_new()]

    def prohibits(self, program: Program) -> bool:
        """Whether a rule hits ``program``, which is none of ours."""
        return self._match_one(program, self._nobody()) is not None

    def surroundings(self) -> Surroundings:
        """Return who we are at this moment: it costs a look at every process."""
        parents = {p.pid: p.parent for p in map(self._table.look, self._table.pids()) if p is not None}
        own, above = descendants(self._own_root, parents), ancestors(self._own_root, parents)
        return Surroundings(user=self._table.own_user(), own=own, above=above)

    def identity(self, program: Program) -> Identity:
        """Return what its executable says it is; with the next two, what ``rules.match`` asks for."""
        return self._table.identity(program)

    def sha256(self, program: Program) -> str | None:
        """Return its SHA-256, perhaps later."""
        return self._hashes.sha256(program)

    def copy_of(self, program: Program) -> str:
        """Return the prohibited program it is a copy of."""
        return self._copies.copy_of(program)

    def _due(self, now: Instant) -> frozenset[int]:
        """Return the processes to look at now, and remember which of them are young."""
        changed, settled = self._births.since(), self._hashes.settled()
        self._young = {pid: at for pid, at in self._young.items() if now.seconds_since(at) < SECOND_LOOK_S}
        period_s = FULL_SCAN_TOLD_S if self._births.tells_all else FULL_SCAN_S
        full = self._last_full is None or now.seconds_since(self._last_full) >= period_s
        if full or changed is None:
            pids = self._table.pids()
            changed, self._listed = (changed or frozenset()) | (pids - self._listed), pids
        self._young.update(dict.fromkeys(changed, now))
        self._forget(changed | settled, now)
        if full:
            self._last_full = now
            return self._listed - self._others
        if self._last_pass is not None and now.seconds_since(self._last_pass) < POLL_S:
            return changed | settled  # woken by news: the other young ones have their turn soon enough
        self._last_pass = now
        return frozenset(self._young) | settled

    def _forget(self, pids: Iterable[int], now: Instant) -> None:
        """Judge ``pids`` anew, and now and then everybody."""
        if self._forgot is None or now.seconds_since(self._forgot) >= FORGET_S:
            self._forgot = now
            self._innocent.clear()
            self._others.clear()
        for pid in pids:
            self._innocent.pop(pid, None)
            self._others.discard(pid)

    def _match(self, pids: Iterable[int]) -> list[Match]:
        looked = [program for program in map(self._table.look, pids) if program is not None]
        programs = [program for program in looked if self._innocent.get(program.pid) != program]
        # Our own tree is asked for only when something matched: it costs a look at every process.
        nobody = self._nobody()
        suspects = [p for p in programs if self._match_one(p, nobody) is not None]
        self._innocent.update((p.pid, p) for p in programs if p not in suspects)
        self._others.update(p.pid for p in programs if is_untouchable(p, nobody))
        if not suspects:
            return []
        around = self.surroundings()
        return [m for m in (self._match_one(p, around) for p in suspects) if m is not None]

    def _match_one(self, program: Program, around: Surroundings) -> Match | None:
        return match(program, self._rules, around, self)

    def _nobody(self) -> Surroundings:
        return Surroundings(user=self._table.own_user(), own=frozenset())


def facts_of(found: Match, hash_of: Callable[[Program], str | None] | None = None) -> dict[str, str]:
    """Return the facts of an incident about ``found``; with ``hash_of`` the executable's SHA-256 as well."""
    program = found.program
    facts = {"name": program.name, "path": program.path, "pid": str(program.pid), "rule": found.rule, "by": found.by}
    digest = hash_of(program) if hash_of is not None else None
    more = {"copy_of": found.copy_of, "sha256": digest or ""}
    return {**facts, **{name: text for name, text in more.items() if text}}


def _identity(found: Match) -> tuple[int, float, str]:
    return found.program.pid, found.program.created, found.rule

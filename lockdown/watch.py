"""Finds prohibited programs as they start: cheap polls for new process ids, and a full look now and then.

``observe`` is meant to be called every ``POLL_S`` seconds from one thread of the guard. It looks only at process ids
that are new, twice each (between fork and exec a process still has its parent's name), and at all of them every
``FULL_SCAN_S`` seconds, because a process can change its program or its name. It ends nothing.
"""

from collections.abc import Callable, Iterable, Sequence

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding
from lockdown.processes import ProcessTable, Program
from lockdown.rules import Match, Rules, Surroundings, descendants, match

POLL_S = 0.25
FULL_SCAN_S = 5.0
SECOND_LOOK_S = 1.0


class ProcessScanner:
    """Matches the running programs against ``rules``; implements ``ProcessWatch``.

    ``own_root`` is the process id of the application: it and its descendants are never matched.
    """

    def __init__(self, table: ProcessTable, rules: Rules, clock: Clock, *, own_root: int) -> None:
        self._table = table
        self._rules = rules
        self._clock = clock
        self._own_root = own_root
        self._last_full: Instant | None = None
        self._first_seen: dict[int, Instant] = {}
        self._reported: set[tuple[int, float, str]] = set()

    def find_all(self) -> Sequence[Match]:
        """Return everything that runs and is prohibited, reported before or not."""
        return self._match(self._table.pids())

    def find_new(self) -> Sequence[Match]:
        """Return the matches not reported yet, looking at as little as is safe."""
        now = self._clock.now()
        pids = self._table.pids()
        if self._last_full is None or now.seconds_since(self._last_full) >= FULL_SCAN_S:
            self._last_full = now
            looked_at = pids
        else:
            looked_at = frozenset(pid for pid in pids if self._is_young(pid, now))
        self._first_seen = {pid: self._first_seen.get(pid, now) for pid in pids}
        found = [m for m in self._match(looked_at) if _identity(m) not in self._reported]
        self._reported = {key for key in self._reported if key[0] in pids} | {_identity(m) for m in found}
        return found

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each program found since the last call."""
        return [Finding(kind=IncidentKind.PROCESS_FOUND, facts=facts_of(m)) for m in self.find_new()]

    def own(self) -> frozenset[int]:
        """Return the process ids of our own tree at this moment."""
        return self._surroundings().own

    def _is_young(self, pid: int, now: Instant) -> bool:
        seen = self._first_seen.get(pid)
        return seen is None or now.seconds_since(seen) < SECOND_LOOK_S

    def _match(self, pids: Iterable[int]) -> list[Match]:
        programs = [program for program in map(self._table.look, pids) if program is not None]
        # Our own tree is asked for only when something matched: it costs a look at every process.
        nobody = Surroundings(user=self._table.own_user(), own=frozenset())
        suspects = [p for p in programs if self._match_one(p, nobody) is not None]
        if not suspects:
            return []
        around = self._surroundings()
        return [m for m in (self._match_one(p, around) for p in suspects) if m is not None]

    def _match_one(self, program: Program, around: Surroundings) -> Match | None:
        return match(program, self._rules, around, self._table.sha256)

    def _surroundings(self) -> Surroundings:
        parents = {p.pid: p.parent for p in map(self._table.look, self._table.pids()) if p is not None}
        return Surroundings(user=self._table.own_user(), own=descendants(self._own_root, parents))


def facts_of(found: Match, hash_of: Callable[[Program], str | None] | None = None) -> dict[str, str]:
    """Return the facts of an incident about ``found``; with ``hash_of`` the executable's SHA-256 as well."""
    program = found.program
    facts = {"name": program.name, "path": program.path, "pid": str(program.pid), "rule": found.rule, "by": found.by}
    digest = hash_of(program) if hash_of is not None else None
    return {**facts, "sha256": digest} if digest else facts


def _identity(found: Match) -> tuple[int, float, str]:
    return found.program.pid, found.program.created, found.rule

"""Makes what looks at programs, before the exam and during it, for one guard. Called from its main thread."""

from collections.abc import Callable, Sequence

from app.contract.errors import Unsupported
from app.contract.policy import Capability, Lockdown, Treatment
from app.contract.times import Clock
from app.guard.hashing import HashesLater
from app.guard.programs import Closer, ExamPrograms
from app.guard.strangers import StrangerWatch, concerns
from app.guard.watching import Tell, missing
from app.messages import Concern
from lockdown import select
from lockdown.capabilities import Watch
from lockdown.processes import ProcessTable
from lockdown.rules import Rules
from lockdown.unknown import UnknownPrograms
from lockdown.watch import Copies, ProcessScanner


class ProgramParts:
    """``own_root`` is the application's process id; the programs of its tree are never looked at."""

    def __init__(self, table: ProcessTable, clock: Clock, *, own_root: int) -> None:
        self._table = table
        self._clock = clock
        self._own_root = own_root
        self._installed: tuple[Rules, Copies] | None = None

    def scanner(self, rules: Rules) -> ProcessScanner:
        """Return what finds all that is prohibited and runs now."""
        copies = self._copies(rules)
        return ProcessScanner(self._table, rules, self._clock, own_root=self._own_root, copies=copies)

    def during_exam(self, rules: Rules, tell: Tell, closer: Closer) -> ExamPrograms:
        """Return the watch of prohibited programs, which it hands to ``closer``."""
        births, hashes = select.births(), HashesLater(self._table)
        scanner = ProcessScanner(
            self._table,
            rules,
            self._clock,
            own_root=self._own_root,
            copies=self._copies(rules),
            births=births,
            hashes=hashes,
        )
        return ExamPrograms(scanner, self._table, births, hashes, tell, closer.offer)

    def strangers_now(self, rules: Rules, policy: Lockdown) -> tuple[Concern, ...]:
        """Return what the candidate is told of programs that no list names."""
        if policy.unknown_programs is Treatment.IGNORE:
            return ()
        try:
            unknown = self._unknown(rules)
        except Unsupported:
            return ()  # said when the exam is locked
        try:
            return concerns(unknown, policy.unknown_programs)
        finally:
            unknown.close()

    def strangers(
        self, rules: Rules, policy: Lockdown, tell: Tell, warn: Callable[[Concern], None]
    ) -> Sequence[tuple[Capability, Watch]]:
        """Return the watch of such programs if the policy minds them; tells if they can't be seen here."""
        treatment = policy.unknown_programs
        if treatment is Treatment.IGNORE:
            return ()
        try:
            watch = StrangerWatch(self._unknown(rules), treatment, warn)
        except Unsupported as reason:
            tell(missing(Capability.PROCESS_WATCH, str(reason)), Capability.PROCESS_WATCH)
            return ()
        return ((Capability.PROCESS_WATCH, watch),)

    def _unknown(self, rules: Rules) -> UnknownPrograms:
        owners = select.window_owners()
        return UnknownPrograms(self._table, rules, self.scanner(rules), owners, own_root=self._own_root)

    def _copies(self, rules: Rules) -> Copies:
        """Return what knows the copies of what ``rules`` prohibit; looking for it takes a moment, so only once."""
        if self._installed is None or self._installed[0] != rules:
            self._installed = rules, select.copies(rules)
        return self._installed[1]

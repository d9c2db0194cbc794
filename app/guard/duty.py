"""What the guard does for one session: close programs, engage and release the measures, run the watches.

Called from the guard's main thread only; the watches it starts have threads of their own.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from app.contract import schema
from app.contract.agreement import Allowance
from app.contract.errors import IntegrityError
from app.contract.incidents import IncidentKind
from app.contract.legible import fact
from app.contract.policy import Capability, Lockdown, Policy
from app.contract.times import Clock
from app.guard import examining
from app.guard.crowds import Crowds
from app.guard.holding import Holding
from app.guard.injecting import heeding
from app.guard.program_parts import ProgramParts
from app.guard.programs import Closer
from app.guard.watching import missing
from app.messages import (
    CloseProcesses,
    Engage,
    Engaged,
    Examine,
    Examined,
    ProcessesClosed,
    ProcessesFound,
    ProcessInfo,
    Released,
    Report,
    Seen,
)
from lockdown import closing, select
from lockdown.capabilities import Finding, HeldByShell, Part, Platform, RunExternal, Watch
from lockdown.processes import ProcessTable, is_descendant
from lockdown.restore import Replayed, RestoreFile
from lockdown.rule_lists import builtin_rules, with_policy
from lockdown.rules import Match, Rules

LISTED = 200
"""Programs named before the exam; all are closed."""


class Duty:
    """The guard's work. ``send`` takes messages for the shell; ``cancelled`` says that nobody waits any more."""

    def __init__(
        self,
        restore: RestoreFile,
        *,
        table: ProcessTable,
        clock: Clock,
        run: RunExternal,
        own_root: int,
        send: Callable[[object], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._restore = restore
        self._table = table
        self._clock = clock
        self._run = run
        self._own_root = own_root
        self._send = send
        self._cancelled = cancelled
        self._replayers = select.replayers(run)
        self._holding: Holding | None = None
        self._programs = ProgramParts(table, clock, own_root=own_root)
        self._crowds = Crowds(self._tell_one, clock)

    def close_processes(self, order: CloseProcesses) -> None:
        """Find, and if asked end, what the policy prohibits."""
        policy = _policy(order.policy)
        rules, problem = _rules(policy)
        if problem is not None:
            self._tell(missing(Capability.PROCESS_WATCH, problem), Capability.PROCESS_WATCH)
        found = self._programs.scanner(rules).find_all()
        if not order.close:
            self._send(ProcessesFound(processes=_infos(found)))
            return
        done = closing.close(
            found,
            self._table,
            self._clock,
            grace_s=policy.lockdown.close_grace_ms / 1000,
            ask_windows=select.window_closer(),
            cancelled=self._cancelled,
        )
        self._send(ProcessesClosed(closed=_infos(done.closed), left=_infos(done.left)))

    def engage(self, order: Engage) -> None:
        """Take every measure there is and start the watches; says what holds and what is missing."""
        self._let_go()
        if self._cancelled():
            return  # nobody is there for whom it should be held
        policy = _policy(order.policy)
        rules, problem = _rules(policy)
        closer = Closer(
            self._table,
            self._clock,
            self._tell,
            grace_s=policy.lockdown.close_grace_ms / 1000,
            ask_windows=select.window_closer(),
        )
        desktop = self._platform(self._programs.during_exam(rules, self._tell, closer), order.allowances)
        tell = heeding(self._tell, self._send, policy.lockdown)
        holding = self._holding = Holding(
            self._restore, tell, self._cancelled, desktop, closer, whole=_required_whole(policy.lockdown)
        )
        lacks = holding.take()
        if problem is not None:
            lacks[Capability.PROCESS_WATCH] = problem
        strangers = self._programs.strangers(rules, policy.lockdown, self._tell, self._send)
        holding.watch(lacks, [*self._surveys(desktop, policy.lockdown), *strangers])
        self._send(
            Engaged(
                holding=_holding(desktop.parts, lacks),
                missing=lacks,
                tier=desktop.tier,
                platform=desktop.name,
                doubts=select.doubts(),
            )
        )

    def examine(self, order: Examine) -> None:
        """Look at the machine as it is, change nothing, and say what the policy minds."""
        policy = _policy(order.policy)
        rules, _ = _rules(policy)
        desktop = self._platform(self._programs.scanner(rules))
        try:
            surroundings = examining.examine(desktop.parts, policy.lockdown)
            limits = {name.value: limit for name in _required_whole(policy.lockdown) if (limit := desktop.limit(name))}
        finally:
            desktop.close()
        strangers = self._programs.strangers_now(rules, policy.lockdown)
        self._send(Examined(tier=desktop.tier, concerns=(*surroundings, *strangers), limits=limits))

    def release(self) -> None:
        """Undo everything and say so, even if a measure fails to let go.

        First what outlives this process: a watch that hangs, or a connection that answers no more, must not keep it.
        """
        if self._holding is not None:
            self._holding.stop()
        done = self._restore.replay(self._replayers)
        try:
            self._let_go()
        finally:
            self._send(Released(undone=done.undone, failed=done.failed))

    def look_after(self) -> None:
        """See to it that no watch goes silent and nothing stays untold; called every now and then."""
        self._crowds.flush()
        if self._holding is not None:
            self._holding.look_after(time.monotonic())

    def undo_leftovers(self) -> None:
        """Undo what an earlier run could not; reported as an incident if there was anything."""
        done = self._restore.replay(self._replayers)
        if done.undone or done.failed:
            self._send(Seen(report=self._report(_leftovers(done), "guard.restore")))

    def _let_go(self) -> None:
        """Stop all watches and give back what lives in this process; changes beyond it stay until replayed."""
        holding, self._holding = self._holding, None
        if holding is not None:
            holding.let_go()
        self._crowds.flush(everything=True)

    def _platform(self, processes: Watch, allowances: Sequence[Allowance] = ()) -> Platform:
        return select.platform(
            run=self._run,
            table=self._table,
            clock=self._clock,
            processes=processes,
            is_own=lambda pid: is_descendant(pid, self._own_root, self._table),
            allowances=allowances,
        )

    def _surveys(self, desktop: Platform, policy: Lockdown) -> Sequence[tuple[Capability, Watch]]:
        return examining.watches(desktop.parts, policy, self._clock, tell=self._tell, warn=self._send)

    def _tell(self, finding: Finding, capability: Capability) -> None:
        self._crowds.tell(finding, capability)

    def _tell_one(self, finding: Finding, capability: Capability) -> None:
        self._send(Seen(report=self._report(finding, f"guard.{capability}")))

    def _report(self, finding: Finding, source: str) -> Report:
        seen = finding.seen or self._clock.now()
        return Report(
            kind=finding.kind,
            start=finding.since or seen,
            end=seen,
            source=source,
            facts={name: fact(text) for name, text in finding.facts.items()},
            severity=finding.severity,
        )


def _required_whole(policy: Lockdown) -> frozenset[Capability]:
    """Return the capabilities without which, in every part, no exam may start."""
    return frozenset(policy.require) if policy.require_whole else frozenset()


def _policy(text: str) -> Policy:
    return schema.loads(Policy, text.encode())


def _rules(policy: Policy) -> tuple[Rules, str | None]:
    """Return the session's rules; the built-in ones and the reason if the policy's can't be read."""
    builtin = builtin_rules(select.system())
    try:
        return with_policy(builtin, policy.lockdown), None
    except IntegrityError as error:
        return builtin, str(error)


def _infos(matches: Sequence[Match]) -> tuple[ProcessInfo, ...]:
    """Return what is listed to the candidate: a thousand would be too long for a message and for anybody to read."""
    return tuple(
        ProcessInfo(pid=m.program.pid, name=m.program.name, path=fact(m.program.path), rule=m.rule, copy_of=m.copy_of)
        for m in matches[:LISTED]
    )


def _holding(parts: Mapping[Capability, Part], lacks: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name, part in parts.items() if name not in lacks and not isinstance(part, HeldByShell))


def _leftovers(done: Replayed) -> Finding:
    facts = {"restored": "; ".join(done.undone), "failed": "; ".join(done.failed)}
    return Finding(kind=IncidentKind.ENVIRONMENT, facts={key: text for key, text in facts.items() if text})

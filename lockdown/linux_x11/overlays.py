"""Reports windows of other programs that lie over the exam, and has them put behind it. In a thread of the guard.

One incident when a program first covers the exam, and one when nothing of it does any more, with how long that was:
however many windows it opens, moves and closes in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding
from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported
from lockdown.linux_x11.stacking import Over, Stack
from lockdown.processes import ProcessTable, Program

LOOK_AGAIN_S = 0.9
"""A look costs a dozen questions to the X server, so without news from it there is none before this time."""

GONE_AFTER_S = 2.0
"""What shows itself again within this time was never gone: a window that blinks is one incident."""


@dataclass(slots=True, kw_only=True)
class _Cover:
    """A program over the exam, from when until when, and the most of what was seen."""

    since: Instant
    last: Instant
    facts: dict[str, str]
    covered: int = 0
    signs: list[str] = field(default_factory=list)
    windows: set[int] = field(default_factory=set)

    def add(self, over: Over, now: Instant) -> None:
        self.last = now
        self.covered = max(self.covered, over.covered)
        self.signs.extend(sign for sign in over.signs if sign not in self.signs)
        self.windows.add(over.client)

    def finding(self, *, over: bool) -> Finding:
        facts = {**self.facts, "covered_percent": str(self.covered)}
        if self.signs:
            facts["special"] = ", ".join(self.signs)
        if len(self.windows) > 1:
            facts["windows"] = str(len(self.windows))
        if over:
            facts["duration_ms"] = str(round(self.last.seconds_since(self.since) * 1000))
        return Finding(kind=IncidentKind.WINDOW_OVER_EXAM, facts=facts, since=self.since)


class OverlayWatch:
    """Looks for windows over ours; a part of ``WindowWatch``.

    ``is_helper`` says which programs belong over an exam: input methods and assistive technology. ``put_behind`` is
    given everything else that is found, each time.
    """

    def __init__(
        self,
        server: XServer,
        table: ProcessTable,
        clock: Clock,
        is_own: Callable[[int], bool],
        *,
        is_helper: Callable[[Program], bool],
        put_behind: Callable[[Over, Program | None], None],
    ) -> None:
        with lost_connection_is_unsupported():
            self._stack = Stack(server, is_own)
        self._table = table
        self._clock = clock
        self._is_helper = is_helper
        self._put_behind = put_behind
        self._covers: dict[int, _Cover] = {}
        self._looked: Instant | None = None

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each program that came over the exam, and for each that is gone from there."""
        now = self._clock.now()
        with lost_connection_is_unsupported():
            is_due = self._looked is None or now.seconds_since(self._looked) >= LOOK_AGAIN_S
            if not self._stack.has_changed() and not is_due:
                return ()
            self._looked = now
            begun = [cover for over in self._stack.over_own() if (cover := self._follow(over, now)) is not None]
        return [*(cover.finding(over=False) for cover in begun), *self._ended(now)]

    def _follow(self, over: Over, now: Instant) -> _Cover | None:
        """Note one window; return the cover if its program was not over the exam before."""
        program = self._table.look(over.pid) if over.pid is not None else None
        if program is not None and self._is_helper(program):
            return None
        key = over.pid if over.pid is not None else -over.client
        before = self._covers.get(key)
        cover = self._covers[key] = before or _Cover(since=now, last=now, facts=_facts(program))
        cover.add(over, now)
        self._put_behind(over, program)
        return cover if before is None else None

    def _ended(self, now: Instant) -> list[Finding]:
        gone = [key for key, cover in self._covers.items() if now.seconds_since(cover.last) >= GONE_AFTER_S]
        return [self._covers.pop(key).finding(over=True) for key in gone]


def _facts(program: Program | None) -> dict[str, str]:
    if program is None:
        return {"name": "unknown"}
    return {"name": program.name, "path": program.path, "pid": str(program.pid)}

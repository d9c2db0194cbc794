"""Decides which windows of other programs are to be reported. Pure; ``lockdown.windows`` and ``lockdown.macos`` look.

Two kinds: a window in front of the exam that covers part of it, and a window anywhere that is kept out of recordings,
which our own recording could not show. One incident when a program's first such window appears, one when its last
is gone. Titles and contents are never asked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding
from lockdown.processes import ProcessTable, Program

HIDDEN = "hidden from recordings"
CLICK_THROUGH = "click-through"
TOPMOST = "topmost"
TRANSLUCENT = "translucent"
NOT_IN_THE_TASKBAR = "not in the taskbar"

SMALLEST = 6
"""Pixels: what is narrower or lower shows nothing that can be read."""
GONE_AFTER_S = 2.0
"""What shows itself again within this time was never gone: a window that blinks is one incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window that is shown: its program, its place in pixels, and what sets it apart from a plain one."""

    number: int
    pid: int
    left: int
    top: int
    width: int
    height: int
    signs: tuple[str, ...] = ()

    def percent_of(self, other: "Window") -> int:
        """Return how much of ``other`` this one covers, 1 to 100; 0 if that is too small to show anything."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        if min(width, height) < SMALLEST:
            return 0
        return max(1, width * height * 100 // (other.width * other.height))


@dataclass(slots=True, kw_only=True)
class _Incident:
    """A program's windows, from when until when, and the most of what was seen of them."""

    since: Instant
    last: Instant
    facts: Mapping[str, str]
    covered: int = 0
    signs: list[str] = field(default_factory=list)
    windows: set[int] = field(default_factory=set)

    def finding(self, *, is_over: bool) -> Finding:
        facts = {**self.facts, "covered_percent": str(self.covered)}
        if self.signs:
            facts["special"] = ", ".join(self.signs)
        if len(self.windows) > 1:
            facts["windows"] = str(len(self.windows))
        if is_over:
            facts["duration_ms"] = str(round(self.last.seconds_since(self.since) * 1000))
        return Finding(kind=IncidentKind.WINDOW_OVER_EXAM, facts=facts, since=self.since)


class ForeignWindows:
    """Follows the windows from look to look.

    ``is_own`` says whether a process id belongs to the application, ``is_helper`` whether a program belongs over an
    exam (input methods, assistive technology, the desktop itself). A helper is excused from lying over the exam, not
    from being kept out of recordings: its name can be borrowed.
    """

    def __init__(
        self,
        table: ProcessTable,
        clock: Clock,
        is_own: Callable[[int], bool],
        is_helper: Callable[[Program], bool] = lambda _program: False,
    ) -> None:
        self._table = table
        self._clock = clock
        self._is_own = is_own
        self._is_helper = is_helper
        self._open: dict[int, _Incident] = {}
        self._focused: int | None = None

    def look(self, front_to_back: Sequence[Window], focused: int | None) -> Sequence[Finding]:
        """Return what is new; ``focused`` is the process id of the program with the keyboard focus, if known."""
        now = self._clock.now()
        begun = [
            incident
            for window, covered in _noteworthy(front_to_back, self._is_own)
            if (incident := self._follow(window, covered, now)) is not None
        ]
        gone = [pid for pid, one in self._open.items() if now.seconds_since(one.last) >= GONE_AFTER_S]
        return [
            *(incident.finding(is_over=False) for incident in begun),
            *(self._open.pop(pid).finding(is_over=True) for pid in gone),
            *self._focus(focused),
        ]

    def _follow(self, window: Window, covered: int, now: Instant) -> _Incident | None:
        """Note one window; return the incident if it begins with it."""
        program = self._table.look(window.pid)
        if program is not None and HIDDEN not in window.signs and self._is_helper(program):
            return None
        before = self._open.get(window.pid)
        one = before or _Incident(since=now, last=now, facts=facts_of(program))
        one.last = now
        one.covered = max(one.covered, covered)
        one.signs.extend(sign for sign in window.signs if sign not in one.signs)
        one.windows.add(window.number)
        self._open[window.pid] = one
        return one if before is None else None

    def _focus(self, pid: int | None) -> Iterator[Finding]:
        """Report each program that takes the focus from ours, once until ours has it again."""
        if pid is None or self._is_own(pid):
            self._focused = None
        elif pid != self._focused:
            self._focused = pid
            yield Finding(kind=IncidentKind.FOCUS_LOST, facts=facts_of(self._table.look(pid)))


def facts_of(program: Program | None) -> dict[str, str]:
    """Return what an incident says about a program that may be gone already."""
    if program is None:
        return {"name": "unknown"}
    facts = {"name": program.name, "path": program.path, "pid": str(program.pid)}
    return {key: text for key, text in facts.items() if text}


def _noteworthy(front_to_back: Sequence[Window], is_own: Callable[[int], bool]) -> Iterator[tuple[Window, int]]:
    """Yield the windows of others that are hidden from recordings or in front of ours, with how much they cover."""
    pids = {window.pid for window in front_to_back}
    own_pids = {pid for pid in pids if is_own(pid)}
    last = max((place for place, one in enumerate(front_to_back) if one.pid in own_pids), default=-1)
    own = [(place, one) for place, one in enumerate(front_to_back) if one.pid in own_pids]
    for place, window in enumerate(front_to_back):
        if window.pid in own_pids:
            continue
        behind = [one for at, one in own if at > place] if place < last else []
        covered = max((window.percent_of(one) for one in behind), default=0)
        if covered or HIDDEN in window.signs:
            yield window, covered

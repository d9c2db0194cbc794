"""Many findings of one kind told a few at a time: a thousand programs at once must not break the guard's channel.

Between the guard's watches, in whose threads ``tell`` is called, and the shell. What is told later says when it was
seen. What differs in nothing but its process counts as one with a number, and so does what no room is left for.
Nothing that follows from a finding (closing a program) waits for its telling.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from app.contract.incidents import INCIDENTS, IncidentKind, Severity
from app.contract.policy import Capability
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding

WINDOW_S = 10.0
MOST = 40
"""Findings of one kind and watch that are told within ``WINDOW_S``; all kinds of programs together are less than what
the channel carries at once."""
HELD = 1_000
"""Findings of one kind and watch that wait for their turn, some four minutes of it; of more there is only a number."""
LAST = 100
"""Findings of all kinds that are told one by one at the end, when there is no later any more."""
NAMES = 10

_Kind = tuple[IncidentKind, Capability]
_Told = tuple[Finding, Capability]
_GRAVITY = list(Severity)
_OWN = "pid"
"""The fact by which processes of one program differ."""


@dataclass(slots=True)
class _Several:
    """One finding or some, told as one: from the first to the last, as grave as the gravest, with what all share."""

    finding: Finding
    count: int = 1
    names: set[str] = field(default_factory=set)

    def add(self, other: "_Several") -> None:
        mine, its = self.finding, other.finding
        self.names |= {each.facts["name"] for each in (mine, its) if "name" in each.facts} | other.names
        self.names = set(sorted(self.names)[:NAMES])
        self.count += other.count
        self.finding = replace(
            mine,
            facts=dict(mine.facts.items() & its.facts.items()),
            since=min(begun for begun in (mine.since, mine.seen, its.since, its.seen) if begun is not None),
            seen=max(seen for seen in (mine.seen, its.seen) if seen is not None),
            severity=max((mine, its), key=_gravity).severity,
        )

    def told(self) -> Finding:
        if self.count == 1:
            return self.finding
        more = {"further": str(self.count)}
        if self.names and "name" not in self.finding.facts:
            more["names"] = ", ".join(sorted(self.names))
        return replace(self.finding, facts={**self.finding.facts, **more})


@dataclass(slots=True)
class _Window:
    """What came of one kind since ``began``, and what of it waits."""

    began: Instant
    told: int = 0
    held: dict[object, _Several] = field(default_factory=dict)
    rest: _Several | None = None

    def hold(self, finding: Finding) -> None:
        one, key = _Several(finding), frozenset(finding.facts.items() - {(_OWN, finding.facts.get(_OWN))})
        if key in self.held:
            self.held[key].add(one)
        elif len(self.held) < HELD:
            self.held[key] = one
        else:
            self.leave(one)

    def leave(self, one: _Several) -> None:
        if self.rest is None:
            self.rest = one
        else:
            self.rest.add(one)

    def turn(self, now: Instant) -> Iterator[Finding]:
        """Begin anew, and yield those whose turn it is."""
        self.began, self.told = now, min(MOST, len(self.held))
        yield from self.take(self.told)

    def take(self, number: int) -> Iterator[Finding]:
        """Yield the ``number`` that have waited longest, and all for which there was no room as one."""
        for key in list(self.held)[:number]:
            yield self.held.pop(key).told()
        if self.rest is not None:
            rest, self.rest = self.rest, None
            yield rest.told()


class Crowds:
    """Passes findings to ``tell``, of a crowd some at a time."""

    def __init__(self, tell: Callable[[Finding, Capability], None], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[_Kind, _Window] = {}

    def tell(self, finding: Finding, capability: Capability) -> None:
        """Tell, now or in its turn; raises what ``tell`` raises."""
        now = self._clock.now()
        kind = (finding.kind, capability)
        with self._lock:
            told = self._turn([kind], now)
            window = self._windows.setdefault(kind, _Window(now))
            if window.told < MOST and not window.held:
                window.told += 1
                told.append((finding, capability))
            else:
                window.hold(replace(finding, seen=finding.seen or now))
        self._tell_all(told)

    def flush(self, *, everything: bool = False) -> None:
        """Tell what has its turn by now, or all that was held: most of it as a number where it is very much."""
        with self._lock:
            told = self._end() if everything else self._turn(list(self._windows), self._clock.now())
        self._tell_all(told)

    def _turn(self, kinds: Iterable[_Kind], now: Instant) -> list[_Told]:
        told: list[_Told] = []
        for kind in kinds:
            window = self._windows.get(kind)
            if window is None or now.seconds_since(window.began) < WINDOW_S:
                continue
            told += [(finding, kind[1]) for finding in window.turn(now)]
            if not window.told:
                del self._windows[kind]
        return told

    def _end(self) -> list[_Told]:
        told: list[_Told] = []
        for kind, window in self._windows.items():
            left = max(0, LAST - len(told))
            for key in list(window.held)[left:]:
                window.leave(window.held.pop(key))
            told += [(finding, kind[1]) for finding in window.take(left)]
        self._windows.clear()
        return told

    def _tell_all(self, told: Iterable[_Told]) -> None:
        for finding, capability in told:
            self._tell(finding, capability)


def _gravity(finding: Finding) -> int:
    return _GRAVITY.index(finding.severity or INCIDENTS[finding.kind].severity)

"""One thing seen again and again: from single looks to an incident with a beginning and an end. Pure, no clock.

::

    idle ──hit──> candidate ──lasted, seen at half the looks──> open ──not seen for `gap_ms`──> closed = idle
                  candidate ──not seen for `pause_ms` (strict: at one look)──> idle, nothing reported

An incident is reported twice under one id: when it opens (so that somebody who watches live sees it), with the end as
far as known, and when it closes, with its final end. Its end is the last look at which the thing was seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.contract.incidents import INCIDENTS, Incident, IncidentKind
from app.contract.times import Instant

LEAST_HITS = 3
"""One or two looks are never an incident, however long the time between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a streak becomes an incident. ``strict``: a candidate ends with the first look that is not a hit."""

    kind: IncidentKind
    min_ms: int
    pause_ms: int
    gap_ms: int
    strict: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Run:
    """A streak under way. ``looks`` counts up to the last hit; ``since`` those after it."""

    start: Instant
    last: Instant
    best: float | None
    source: str
    facts: dict[str, str]
    id: str | None = None
    hits: int = 1
    looks: int = 1
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look says about one thing.

    ``hit``: clearly so. ``held``: still so for what is already open (implied by ``hit``). ``seen_at`` is when it was
    seen, where that was before this look (another detector's). ``source`` names the detectors asked; ``facts`` go
    into the incident, the newest hit's winning.
    """

    at: Instant
    seen_at: Instant | None = None
    hit: bool
    held: bool = False
    score: float | None = None
    source: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Streak:
    """Follows one thing by one rule."""

    def __init__(self, rule: Rule, new_id: Callable[[], str]) -> None:
        self._rule = rule
        self._new_id = new_id
        self._run: _Run | None = None

    def look(self, sight: Sight) -> Incident | None:
        """Take the next look, in order of time; return the incident that it opens or closes."""
        run = self._run
        if run is None:
            self._begin(sight)
            return None
        if _ms(run.last, sight.at) > (self._rule.pause_ms if run.id is None else self._rule.gap_ms):
            closed = self.finish()
            self._begin(sight)
            return closed
        run.since += 1
        if sight.hit or (sight.held and run.id is not None):
            self._extend(run, sight)
        elif self._rule.strict and run.id is None:
            self._run = None
        if run.id is None and sight.hit and self._lasted(run):
            run.id = self._new_id()
            return self._incident(run)
        return None

    def finish(self) -> Incident | None:
        """Forget the streak; return the incident that it closes."""
        run, self._run = self._run, None
        return self._incident(run) if run is not None and run.id is not None else None

    def _begin(self, sight: Sight) -> None:
        if sight.hit:
            seen_at = sight.seen_at or sight.at
            self._run = _Run(seen_at, seen_at, sight.score, sight.source, dict(sight.facts))

    def _extend(self, run: _Run, sight: Sight) -> None:
        run.last = max(run.last, sight.seen_at or sight.at)
        run.hits += 1
        run.looks, run.since = run.looks + run.since, 0
        run.source = sight.source
        run.facts.update(sight.facts)
        if sight.score is not None:
            run.best = max(run.best or 0.0, sight.score)

    def _lasted(self, run: _Run) -> bool:
        long_enough = _ms(run.start, run.last) >= self._rule.min_ms
        return long_enough and run.hits >= LEAST_HITS and 2 * run.hits >= run.looks

    def _incident(self, run: _Run) -> Incident:
        facts = {**self._rule.facts, **run.facts, "looks": str(run.looks), "seen": str(run.hits)}
        if run.best is not None:
            facts["best_score"] = f"{run.best:.2f}"
        return Incident(
            id=run.id or "",
            kind=self._rule.kind,
            start=run.start,
            end=run.last,
            severity=INCIDENTS[self._rule.kind].severity,
            source=run.source,
            facts=facts,
        )


def _ms(earlier: Instant, later: Instant) -> float:
    return (later.mono_ns - earlier.mono_ns) / 1e6

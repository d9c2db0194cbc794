"""One thing seen again and again: from single looks to an incident with a beginning and an end. Pure, no clock.

::

    idle ──hit──> candidate ──lasted, seen at half the looks──> open ──not seen for `gap_ms`──> closed
                  candidate ──not seen for `pause_ms` (strict: at one look)──> idle, nothing reported
                  candidate of one look ──seen elsewhere (`first`)──> candidate from this look on
    closed ──lasted again, begun within `MERGE_MS`──> open under the same id, counted; never across ``finish``

An incident is reported when it opens (so that somebody who watches live sees it), when it was seen clearly better than
was said so far, and when it closes; always under one id, the later word counts. What comes back soon, and lasts again,
is the same incident. Its end is the last look at which the thing was seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.contract.incidents import INCIDENTS, Incident, IncidentKind, Severity
from app.contract.times import Instant
from detectors.rhythm import MISSES, Rhythm

LEAST_HITS = 3
"""One or two looks are never an incident, however long the time between them."""
MERGE_MS = 10_000
"""What is back within this time, and lasts again, is the same incident."""
BETTER = 0.1
"""By so much must the best score rise to be told again."""
EDGE = 0.25
EDGE_MS = 150
"""What was seen was there a little longer than from its first look to its last: so much of the time between two looks,
and at most so long, counts as its duration too. One look more for the sake of that would tell it too late."""
EASED = 0.75
"""Share of the hits that must have the same harmless reason for the incident to be told as mere context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a streak becomes an incident. ``strict``: a candidate ends with the first look that is not a hit.

    ``pause_ms`` and ``gap_ms`` grow where looks come slower than that (``MISSES``).
    """

    kind: IncidentKind
    min_ms: int
    pause_ms: int
    gap_ms: int
    strict: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Run:
    """A streak under way. ``looks`` counts up to the last hit; ``since`` those after it.

    ``began`` is where the present stretch began, ``before_ms`` how long earlier ones lasted in sum.
    """

    start: Instant
    last: Instant
    best: float | None
    best_at: Instant
    source: str
    facts: dict[str, str]
    began: Instant
    id: str | None = None
    hits: int = 1
    looks: int = 1
    since: int = 0
    told: float = 0.0
    times: int = 1
    before_ms: float = 0.0
    eased: int = 0
    ease: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look says about one thing.

    ``hit``: clearly so. ``held``: still so for what is already open (implied by ``hit``). ``first``: a hit at a place
    where nothing was before: it begins a candidate, also in place of one that was seen once, and is no hit of another.
    ``source`` names the detectors asked; ``facts`` go into the incident, the newest hit's winning. ``eased`` is a
    reason why this hit matters less, in words.
    """

    at: Instant
    hit: bool
    first: bool = False
    held: bool = False
    score: float | None = None
    source: str
    facts: Mapping[str, str] = field(default_factory=dict)
    eased: str = ""


class Streak:
    """Follows one thing by one rule."""

    def __init__(self, rule: Rule, new_id: Callable[[], str]) -> None:
        self._rule = rule
        self._new_id = new_id
        self._run: _Run | None = None
        self._closed: _Run | None = None
        self._rhythm = Rhythm()

    def look(self, sight: Sight) -> Incident | None:
        """Take the next look, in order of time; return the incident that it opens, betters or closes."""
        patience_ms = MISSES * self._rhythm.period_ms
        self._rhythm.tick(sight.at)
        run = self._run
        if run is None:
            self._begin(sight)
            return None
        patience_ms = max(patience_ms, self._rule.pause_ms if run.id is None else self._rule.gap_ms)
        if _ms(run.last, sight.at) > patience_ms:
            closed = self._end()
            self._begin(sight)
            return closed
        run.since += 1
        if sight.first:
            if run.id is None and run.hits == 1:
                self._begin(sight)
        elif sight.hit or (sight.held and run.id is not None):
            self._extend(run, sight)
        elif self._rule.strict and run.id is None:
            self._run = None
        return self._news(run, sight)

    def finish(self) -> Incident | None:
        """End the streak for good; return the incident that it closes. What comes afterwards is another one."""
        closed, self._closed = self._end(), None
        return closed

    def _end(self) -> Incident | None:
        """End the streak as it ends by itself: what comes back soon is the same incident."""
        run, self._run = self._run, None
        if run is None or run.id is None:
            return None
        self._closed = run
        return self._incident(run, over=True)

    def _begin(self, sight: Sight) -> None:
        if sight.hit:
            at = sight.at
            self._run = _Run(at, at, sight.score, at, sight.source, dict(sight.facts), at)
            self._ease(self._run, sight)

    def _extend(self, run: _Run, sight: Sight) -> None:
        run.last = sight.at
        run.hits += 1
        run.looks, run.since = run.looks + run.since, 0
        run.source = sight.source
        run.facts.update(sight.facts)
        self._ease(run, sight)
        if sight.score is not None and sight.score > (run.best or 0.0):
            run.best, run.best_at = sight.score, sight.at

    def _ease(self, run: _Run, sight: Sight) -> None:
        if sight.eased:
            run.eased, run.ease = run.eased + 1, sight.eased

    def _news(self, run: _Run, sight: Sight) -> Incident | None:
        """Return the incident if this look opened it, or showed it better than was told."""
        if run.id is None:
            if not (sight.hit and self._lasted(run)):
                return None
            self._open(run)
        elif run.best is None or run.best < run.told + BETTER:
            return None
        run.told = run.best or 0.0
        return self._incident(run)

    def _open(self, run: _Run) -> None:
        """Give the streak an id: that of what closed just before, if this is the same coming back."""
        past, self._closed = self._closed, None
        if past is None or _ms(past.last, run.start) > MERGE_MS:
            run.id = self._new_id()
            return
        run.id, run.start, run.times = past.id, past.start, past.times + 1
        run.before_ms = past.before_ms + _ms(past.began, past.last)
        run.hits, run.looks, run.eased = run.hits + past.hits, run.looks + past.looks, run.eased + past.eased
        if past.best is not None and past.best > (run.best or 0.0):
            run.best, run.best_at = past.best, past.best_at

    def _lasted(self, run: _Run) -> bool:
        long_enough = _ms(run.start, run.last) >= self._rule.min_ms - min(EDGE_MS, EDGE * self._rhythm.period_ms)
        return long_enough and run.hits >= LEAST_HITS and 2 * run.hits >= run.looks

    def _incident(self, run: _Run, *, over: bool = False) -> Incident:
        return Incident(
            id=run.id or "",
            kind=self._rule.kind,
            start=run.start,
            end=run.last,
            severity=Severity.INFO if run.eased >= EASED * run.hits else INCIDENTS[self._rule.kind].severity,
            source=run.source,
            facts={**self._rule.facts, **run.facts, **self._account(run)},
            best=run.best_at if run.best is not None else None,
            over=over,
        )

    def _account(self, run: _Run) -> dict[str, str]:
        """Return in words why this is an incident."""
        facts = {
            "looks": str(run.looks),
            "seen": str(run.hits),
            "least_s": f"{self._rule.min_ms / 1e3:.1f}",
            "lasted_s": f"{(run.before_ms + _ms(run.began, run.last)) / 1e3:.1f}",
        }
        if run.best is not None:
            facts["best_score"] = f"{run.best:.2f}"
        if run.times > 1:
            facts["times"] = str(run.times)
        if run.eased:
            facts["while"] = f"{run.ease} ({run.eased} of {run.hits})"
        return facts


def _ms(earlier: Instant, later: Instant) -> float:
    return (later.mono_ns - earlier.mono_ns) / 1e6

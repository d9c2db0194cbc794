"""One kind of thing over time: from the boxes of single looks to an incident. Pure, no clock.

A thing is known where it was when one of its kind was seen last (``detectors.tracks``). What flickers between places is
at another one each time, so its looks never add up.
"""

from collections.abc import Callable, Mapping, Sequence

from app.contract.incidents import Incident
from app.contract.times import Instant
from detectors.base import HOLD, Observation
from detectors.catalogue import Task
from detectors.streak import Rule, Sight, Streak

NOT_FOLLOWED = 0.0
"""The track of what nobody follows; it is believed at once."""


class ThingStreak:
    """Follows what is called ``label``, a hit from ``least`` on; ``facts`` go into each incident."""

    def __init__(
        self, label: str, least: float, rule: Rule, facts: Mapping[str, str], new_id: Callable[[], str]
    ) -> None:
        self._label, self._least, self._facts = label, least, facts
        self._streak = Streak(rule, new_id)
        self._shown: frozenset[float] = frozenset()  # the tracks of the last look that showed any
        self._confirmed: float | None = None  # the track of the last one that was known

    def look(self, at: Instant, observations: Sequence[Observation]) -> Incident | None:
        """Take one look for objects; return the incident that it opens, betters or closes."""
        there = [one for one in observations if one.label == self._label]
        known = [one for one in there if self._knows(one)]
        best = max(known or there, key=lambda one: one.score, default=None)
        self._shown = frozenset(_track(one) for one in there if one.score >= self._least) or self._shown
        if best is None:
            return self._streak.look(Sight(at=at, hit=False, source=Task.OBJECTS))
        hit = best.score >= self._least
        if known and hit:
            self._confirmed = _track(best)
        return self._streak.look(
            Sight(
                at=at,
                hit=hit,
                first=hit and not known,
                held=bool(known) and best.score >= HOLD * self._least,
                score=best.score,
                source=Task.OBJECTS,
                facts={**best.facts, **self._facts},
            )
        )

    def finish(self) -> Incident | None:
        """End the streak; return the incident that it closes."""
        return self._streak.finish()

    def _knows(self, one: Observation) -> bool:
        track = _track(one)
        return track in {NOT_FOLLOWED, self._confirmed} or track in self._shown


def _track(one: Observation) -> float:
    return one.values.get("track", NOT_FOLLOWED)

"""Things over time that have no simple name: what is held in a hand, and drinks, food, screens. Pure, no clock.

Phones, books and laptops are followed by ``detectors.temporal``. A thing counts from the second look at which it was
seen as the same one (``detectors.tracks``), so that what flickers here and there never adds up. The incident says what
the thing may be, by which model, above which score and at how many looks; never what it was used for.
"""

from collections.abc import Callable, Mapping, Sequence

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.contract.times import Instant
from detectors.base import HOLD, Observation
from detectors.catalogue import ModelCard, Task
from detectors.coco import LABELS
from detectors.naming import least_scores
from detectors.rhythm import pauses
from detectors.streak import Rule, Sight, Streak
from detectors.tracks import best_of

_ELSEWHERE = frozenset({"person", "phone", "book", "laptop"})


class HandTheme:
    """Follows "in_hand", "thing" and the further objects, one streak for each."""

    def __init__(self, policy: Detection, new_id: Callable[[], str], cards: Mapping[str, ModelCard]) -> None:
        card, second = cards.get(Task.OBJECTS), cards.get(Task.CLOSER)
        self._least = least_scores(policy, card)
        self._models = ", ".join(one.title for one in (card, second) if one is not None)
        pause, gap = pauses(policy)
        self._streaks = {}
        for label in sorted({*LABELS.values(), "in_hand", "thing"} - _ELSEWHERE):
            if label in self._least:
                kind, min_ms = _rule(label, policy)
                facts = {"threshold": f"{self._least[label]:.2f}"}
                facts |= {"object": label} if kind is IncidentKind.OBJECT else {}
                rule = Rule(kind=kind, min_ms=min_ms, pause_ms=pause, gap_ms=gap, facts=facts)
                self._streaks[label] = Streak(rule, new_id)

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        """Take one look; return what it opens and closes. Only looks of ``objects`` count."""
        if detector != Task.OBJECTS:
            return []
        changed = [streak.look(self._sight(at, label, observations)) for label, streak in self._streaks.items()]
        return [one for one in changed if one is not None]

    def finish(self) -> list[Incident]:
        """Close what is open."""
        return [one for one in (streak.finish() for streak in self._streaks.values()) if one is not None]

    def _sight(self, at: Instant, label: str, observations: Sequence[Observation]) -> Sight:
        best = best_of(observations, label)
        if best is None:
            return Sight(at=at, hit=False, source=Task.OBJECTS)
        least = self._least[label]
        facts = {**best.facts, **({"model": self._models} if self._models else {})}
        return Sight(
            at=at,
            hit=best.score >= least,
            held=best.score >= HOLD * least,
            score=best.score,
            source=Task.OBJECTS,
            facts=facts,
        )


def _rule(label: str, policy: Detection) -> tuple[IncidentKind, int]:
    """Return the kind of incident that ``label`` becomes, and how long it must last."""
    if label == "in_hand":
        return IncidentKind.OBJECT_IN_HAND, policy.object_ms
    if label == "headphones":
        return IncidentKind.HEADPHONES, policy.headphones_ms
    return IncidentKind.OBJECT, policy.object_ms

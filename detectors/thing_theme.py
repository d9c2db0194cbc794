"""Things over time: phones, books, screens, drinks, and what is held in a hand. Pure, no clock.

The incident says what the thing may be, by which model, above which score and at how many looks; never what it was
used for.
"""

from collections.abc import Callable, Mapping, Sequence

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.contract.times import Instant
from detectors.base import Observation
from detectors.catalogue import ModelCard, Task
from detectors.naming import least_scores
from detectors.rhythm import pauses
from detectors.streak import Rule
from detectors.thing_streak import ThingStreak


class ThingTheme:
    """Follows "phone", "in_hand", "thing" and the further objects, one streak for each."""

    def __init__(self, policy: Detection, new_id: Callable[[], str], cards: Mapping[str, ModelCard]) -> None:
        card, second = cards.get(Task.OBJECTS), cards.get(Task.CLOSER)
        titles = [one.title for one in (card, second) if one is not None]
        model = {"model": ", ".join(titles)} if titles else {}
        pause, gap = pauses(policy)
        self._streaks = []
        for label, least in sorted(least_scores(policy, card).items()):
            if label == "person":
                continue
            kind, min_ms = _kind(label, policy)
            # What is reported under a word had the word's score, which is stricter than any policy.
            judged = max(least, card.words.get(label, 0.0)) if card is not None else least
            facts = {"threshold": f"{judged:.2f}"} | ({"object": label} if kind is IncidentKind.OBJECT else {})
            rule = Rule(kind=kind, min_ms=min_ms, pause_ms=pause, gap_ms=gap, facts=facts)
            self._streaks.append(ThingStreak(label, least, rule, model, new_id))

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        """Take one look; return what it opens and closes. Only looks of ``objects`` count."""
        if detector != Task.OBJECTS:
            return []
        changed = [streak.look(at, observations) for streak in self._streaks]
        return [one for one in changed if one is not None]

    def finish(self) -> list[Incident]:
        """Close what is open."""
        return [one for one in (streak.finish() for streak in self._streaks) if one is not None]


def _kind(label: str, policy: Detection) -> tuple[IncidentKind, int]:
    """Return the kind of incident that ``label`` becomes, and how long it must last."""
    if label == "phone":
        return IncidentKind.PHONE, policy.object_ms
    if label == "in_hand":
        return IncidentKind.OBJECT_IN_HAND, policy.object_ms
    if label == "headphones":
        return IncidentKind.HEADPHONES, policy.headphones_ms
    return IncidentKind.OBJECT, policy.object_ms

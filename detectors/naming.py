"""Which word a thing gets: "phone" only where it was measured that the score allows the word. Pure.

A detector's score for "cell phone" cannot tell a phone's back from a wallet (docs/models.md has the figures). A card
therefore says from which score on the word holds, where the policy wants it at all, and nothing else the thing may be
has a higher one. The shape of the box does not help: it is as long as that of a phone where a wallet is tilted away
from the camera. Everything else in a hand is "in_hand" with its candidates, and what lies about and may be a phone is a
"thing" with them. So is a book in a hand, where the policy does not ask for books.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.contract.policy import Detection
from detectors.base import HOLD, Box
from detectors.catalogue import ModelCard, Task
from detectors.coco import HELD, LABELS
from detectors.things import Thing
from detectors.thresholds import thresholds

IN_HAND = 0.25
"""Least score of "in_hand" where a card has none."""
THIN = 4.0
"""What is longer than so many times its width is nothing held before a camera, but a rim of glasses or of a table."""
SURE = 0.5
"""Drinks, food and screens get their name from this score on: a wallet is a "donut" with less."""
_UNCERTAIN = frozenset({"bottle", "cup", "food", "screen"})
NO_WORD = 2.0
"""Where a card was not measured no score allows the word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A thing with its label, the score of that label, and the facts that explain both."""

    thing: Thing
    label: str
    score: float
    facts: Mapping[str, str]


def least_scores(policy: Detection, card: ModelCard | None) -> Mapping[str, float]:
    """Return the least score of each label: the thresholds of objects, and those of what they are called besides."""
    least = dict(thresholds(policy, Task.OBJECTS, card))
    own = card.thresholds if card is not None else {}
    default = Detection().object_permille
    for label in (*LABELS.values(), "in_hand", "thing"):
        fallback = {"in_hand": IN_HAND, "thing": least["phone"] * default / policy.object_permille}
        usual = SURE if label in _UNCERTAIN else own.get("book", default / 1000)
        score = own.get(label, fallback.get(label, usual))
        least.setdefault(label, min(0.95, score * policy.object_permille / default))
    if not policy.headphones:
        del least["headphones"]
    if not policy.books:
        del least["book"]
    return least


class Naming:
    """Names things by the policy's thresholds on one model's scale and by that model's words."""

    def __init__(self, policy: Detection, card: ModelCard) -> None:
        self._least = {label: HOLD * score for label, score in least_scores(policy, card).items()}
        self._word = card.words.get("phone", NO_WORD) if policy.phones else NO_WORD

    @property
    def person(self) -> float:
        """The least score of a person that is reported."""
        return self._least["person"]

    def name(self, thing: Thing, *, held: bool) -> Named | None:
        """Return ``thing`` under its name, ``None`` if it is nothing to report. ``held``: within somebody's reach."""
        phone = max(thing.scores.get(name, 0.0) for name in ("cell phone", "phone"))
        label = LABELS.get(thing.best, "")
        if label == "phone" and phone >= self._word:
            return self._named(thing, "phone", phone)
        if label not in ("", "phone") and thing.scores[thing.best] >= self._least.get(label, NO_WORD):
            return self._named(thing, label, thing.scores[thing.best])
        if shape(thing.box) > THIN:
            return None
        if held:
            score = thing.some(HELD)
            return self._named(thing, "in_hand", score) if score >= self._least["in_hand"] else None
        return self._named(thing, "thing", phone) if phone >= self._least["thing"] else None

    def _named(self, thing: Thing, label: str, score: float) -> Named:
        facts = {"candidates": thing.candidates, "look": "closer" if thing.closer else "first"}
        if label == "phone" or "cell phone" in thing.scores:
            facts["called_phone_from"] = "never" if self._word >= NO_WORD else f"{self._word:.2f}"
        return Named(thing=thing, label=label, score=score, facts=facts)


def shape(box: Box) -> float:
    """Return how many times longer than wide ``box`` is, whichever way it lies."""
    left, top, right, bottom = box
    width, height = max(right - left, 1e-6), max(bottom - top, 1e-6)
    return max(width / height, height / width)

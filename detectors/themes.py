"""What is followed over time beside people and speech: one theme for each kind of question. Pure, no clock.

A theme takes every look of every detector, in order of time, and says which incidents that opens and closes. It holds
all its state itself; two themes never ask each other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from app.contract.incidents import Incident
from app.contract.policy import Detection
from app.contract.times import Instant
from detectors.base import Observation
from detectors.catalogue import ModelCard
from detectors.continuity_theme import ContinuityTheme
from detectors.looking_theme import LookingTheme
from detectors.no_face_theme import NoFaceTheme
from detectors.thing_theme import ThingTheme


class Theme(Protocol):
    """One question that is asked of what the detectors see."""

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        """Take one look of ``detector``; return what it opens and closes. Looks of other detectors are passed over."""
        ...

    def finish(self) -> list[Incident]:
        """Close what is open."""
        ...


def themes(policy: Detection, new_id: Callable[[], str], cards: Mapping[str, ModelCard]) -> tuple[Theme, ...]:
    """Return the themes that the policy asks for."""
    asked: list[Theme] = []
    if policy.faces and (policy.looking_away or policy.gaze):
        asked.append(LookingTheme(policy, new_id, cards))
    if policy.faces and policy.objects:
        asked.append(NoFaceTheme(policy, new_id, cards))
    if policy.faces and policy.continuity:
        asked.append(ContinuityTheme(policy, new_id, cards))
    if policy.objects:
        asked.append(ThingTheme(policy, new_id, cards))
    return tuple(asked)

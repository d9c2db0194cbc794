"""What the detectors are meant to reach, and the settings under which that is measured. Pure.

The goals stand where the project set them, also where they are not reached: the report puts both side by side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from app.contract.policy import Detection
from app.evaluation.truth import OBJECTS
from detectors.hearing import NOISE_MS
from detectors.no_face_theme import LEAST_MS as NO_FACE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Of events of at least ``least_s`` seconds the share ``recall`` is found, with ``false_per_hour`` false ones."""

    least_s: float
    recall: float
    false_per_hour: float
    note: str = ""


GOALS: Mapping[str, Goal] = {
    "phone": Goal(
        least_s=2, recall=0.95, false_per_hour=0.2, note=".85 partly hidden; wallets and hands at the ear ≤ 2 %"
    ),
    "second_person": Goal(least_s=1, recall=0.98, false_per_hour=0.1),
    "absent": Goal(least_s=3, recall=0.99, false_per_hour=0.05),
    "looking_away": Goal(least_s=3, recall=0.90, false_per_hour=1),
    "headphones": Goal(least_s=5, recall=0.90, false_per_hour=0.2),
    "book": Goal(least_s=3, recall=0.80, false_per_hour=0.5, note="or notes"),
    "speech": Goal(least_s=1.5, recall=0.95, false_per_hour=1),
}
DELAY_S = 1.0
"""An incident is to be raised at most this long after its shortest duration is reached."""

NOTICED_BY: Mapping[str, frozenset[str]] = {
    "phone": frozenset({"phone", "object_in_hand"}),
    "book": frozenset({"book", "object_in_hand"}),
    "looking_away": frozenset({"looking_away", "no_face"}),
    "absent": frozenset({"absent"}),
}
"""Whichever of these is raised brings a reviewer to the place, though only the thing's own name counts as recall."""

_LEAST: Mapping[str, str] = {
    **dict.fromkeys(("phone", *OBJECTS, "object_in_hand"), "object_ms"),
    "headphones": "headphones_ms",
    "second_person": "person_ms",
    "absent": "absent_ms",
    "looking_away": "away_ms",
    "speech": "speech_ms",
}
_FIXED_MS: Mapping[str, int] = {"no_face": NO_FACE_MS, "loud_noise": NOISE_MS}
"""What no setting of the policy moves."""


def setting_s(policy: Detection, thing: str) -> float:
    """Return how long ``thing`` must last by the policy, in seconds."""
    if thing in _LEAST:
        return float(getattr(policy, _LEAST[thing])) / 1000
    return _FIXED_MS.get(thing, 0) / 1000


def least_s(policy: Detection, thing: str) -> float:
    """Return how long an event must last to count: what the goal names or the policy asks for, whichever is longer."""
    goal = GOALS.get(thing)
    return max(setting_s(policy, thing), goal.least_s if goal is not None else 0.0)


def measuring_policy() -> Detection:
    """Return the default policy with everything on that is counted, also advice, and nothing slower than its goal.

    ``continuity`` stays off: no truth speaks of who somebody is.
    """
    policy = replace(Detection(), phones=True, books=True, headphones=True, gaze=True, loud_noise=True)
    faster = {
        _LEAST[thing]: min(getattr(policy, _LEAST[thing]), round(goal.least_s * 1000)) for thing, goal in GOALS.items()
    }
    return replace(policy, **faster)


def differences(policy: Detection) -> tuple[str, ...]:
    """Return where ``policy`` differs from the default, as ``name value (default value)``."""
    default = Detection()
    return tuple(
        f"{one.name} {getattr(policy, one.name)} ({getattr(default, one.name)})"
        for one in fields(policy)
        if getattr(policy, one.name) != getattr(default, one.name)
    )

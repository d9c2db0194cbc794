"""What is true about a recording: when something is in view or heard, and for which things that is the whole truth.

Pure types, seconds from the recording's first picture or sample. Truth names things by ``THINGS`` and never persons.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.contract.errors import UserFacing
from app.contract.incidents import Incident, IncidentKind

OBJECTS = ("book", "laptop", "screen", "tablet", "bottle", "cup", "food")
"""Things whose incidents are of the kind ``object`` and carry their name as a fact."""
THINGS: tuple[str, ...] = (
    IncidentKind.PHONE,
    *OBJECTS,
    IncidentKind.OBJECT_IN_HAND,
    IncidentKind.HEADPHONES,
    IncidentKind.SECOND_PERSON,
    IncidentKind.ABSENT,
    IncidentKind.NO_FACE,
    IncidentKind.LOOKING_AWAY,
    IncidentKind.SPEECH,
    IncidentKind.LOUD_NOISE,
)
"""What truth and detectors speak of, by the names of incidents' kinds and of objects."""

LABELS: Mapping[str, str] = {"in_hand": IncidentKind.OBJECT_IN_HAND.value}
"""What detectors call otherwise."""

HEARD = frozenset({IncidentKind.SPEECH.value, IncidentKind.LOUD_NOISE.value})
SEEN = frozenset(str(thing) for thing in THINGS) - HEARD

ALSO_RIGHT: Mapping[str, frozenset[str]] = {
    "object_in_hand": frozenset({"phone", "headphones", *OBJECTS}),
    "no_face": frozenset({"looking_away"}),
    "looking_away": frozenset({"no_face"}),
}
"""An incident of the first kind is not false while one of these is true: a phone in a hand is an object in a hand."""

TOLERANCE_S = 1.0
"""How far from the truth an incident may lie, by default; the usual ±1 s of event-based scoring."""


class Medium(StrEnum):
    """What a recording is."""

    VIDEO = "video"
    SOUND = "sound"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One stretch in which ``thing`` is true. ``end_s`` may be infinite: to the end of the recording."""

    thing: str
    start_s: float = 0.0
    end_s: float = math.inf
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A box drawn by hand in a picture: ``name`` as the labels call it; left, top, right, bottom as shares (0..1)."""

    name: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """All that is known. What is in ``complete`` and not in ``events`` is known not to be there.

    ``name`` groups recordings for the report (``hand at ear``), ``groups`` holds free columns (light, glasses),
    ``regions`` are the stretches that were annotated (none: all), ``made`` says how the truth came about. ``size``
    (width, height) is what a picture is brought to before it is shown, where it was stretched.
    """

    events: tuple[Event, ...] = ()
    complete: frozenset[str] = frozenset()
    held: tuple[Held, ...] = ()
    name: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[tuple[float, float], ...] = ()
    tolerance_s: float = TOLERANCE_S
    size: tuple[int, int] | None = None
    synthetic: bool = False
    made: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One file to be looked at or listened to. ``name`` is its path inside the folder, with forward slashes."""

    path: Path
    name: str
    medium: Medium
    truth: Truth


def thing_of(incident: Incident) -> str:
    """Return what an incident says is there; an object is called by its own name."""
    if incident.kind is IncidentKind.OBJECT:
        return incident.facts.get("object", incident.kind.value)
    return incident.kind.value


def truth_error(path: Path, line: int | None, why: str, advice: str) -> UserFacing:
    """Return the error for a truth file that can't be read; ``line`` counts from 1."""
    where = f"{path}, line {line}" if line is not None else str(path)
    return UserFacing(f"{where}: {why.rstrip('.')}.", advice=advice, code="E-TRUTH")

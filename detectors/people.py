"""How many people are in view, from what the object and the face detector saw last. Pure, no clock.

A body without a face (a lowered head) and a face without a body (close to the camera) are both somebody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.contract.times import Instant
from detectors.base import Observation
from detectors.catalogue import Task
from detectors.rhythm import Rhythm
from detectors.things import within

SAME_PERSON = 0.85
"""Two boxes are one person when this share of the smaller lies in the larger (a face within a whole body)."""
SAME_BODY = 0.75
"""The same for two bodies: of one man with an arm raised two boxes were told, 81 % of the smaller in the larger."""
FACELESS = 0.5
"""A body that lies so far in another counts for sure only with a face of its own, where somebody looks for faces."""
LOOKS = 2.5
"""A look counts until the next one is as much overdue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """``sure`` and ``perhaps`` count people above the threshold and above what still holds."""

    sure: int
    perhaps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """``most`` is what the detector says that sees most, of ``judges``; ``own`` what this one look says.

    ``second`` is the score of the second most certain person of this look.
    """

    most: Count
    own: Count
    second: float | None
    judges: tuple[str, ...]


class People:
    """Remembers each detector's last look for ``fresh_ms``, or ``LOOKS`` of its looks where those are slower.

    A dead detector must not speak for ever.
    """

    def __init__(self, thresholds: Mapping[str, float], fresh_ms: float) -> None:
        self._thresholds = thresholds
        self._fresh_ms = fresh_ms
        self._rhythms: dict[str, Rhythm] = {}
        self._last: dict[str, tuple[Instant, list[Observation]]] = {}
        self._pictured: list[Observation] = []  # what is background at the newest look that judged that

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> View:
        """Take one look; return how many people are in view according to all detectors."""
        if detector == Task.OBJECTS:
            self._pictured = [seen for seen in observations if seen.label == "background"]
        people = [seen for seen in observations if seen.label in ("person", "face") and not self._is_pictured(seen)]
        self._last[detector] = (at, _distinct(people))
        self._rhythms.setdefault(detector, Rhythm()).tick(at)
        fresh = {
            name: look for name, look in self._last.items() if self._is_fresh(name, at.seconds_since(look[0]) * 1e3)
        }
        faces = fresh[Task.FACES][1] if Task.FACES in fresh else None
        counts = {name: Count(sure=self._sure(seen, faces), perhaps=len(seen)) for name, (_, seen) in fresh.items()}
        own = self._last[detector][1]
        return View(
            most=Count(
                sure=max(one.sure for one in counts.values()), perhaps=max(one.perhaps for one in counts.values())
            ),
            own=counts[detector],
            second=own[1].score if len(own) > 1 else None,
            judges=tuple(sorted(fresh, reverse=True)),
        )

    def _is_pictured(self, one: Observation) -> bool:
        """Whether it is the face on a poster."""
        return any(_same(one, other) for other in self._pictured)

    def _is_fresh(self, detector: str, age_ms: float) -> bool:
        return age_ms <= max(self._fresh_ms, LOOKS * self._rhythms[detector].period_ms)

    def _sure(self, people: list[Observation], faces: list[Observation] | None) -> int:
        clear = [one for one in people if one.score >= self._thresholds[one.label]]
        return sum(_is_another(one, clear[:index], faces) for index, one in enumerate(clear))


def _is_another(one: Observation, better: Sequence[Observation], faces: list[Observation] | None) -> bool:
    """Whether a body is somebody else than ``better`` ones it half lies in. ``faces``: ``None`` if nobody looks."""
    over = [other for other in better if one.label == other.label == "person" and _shared(one, other) >= FACELESS]
    if faces is None or not over:
        return True
    return any(_is_in(face, one) and not any(_is_in(face, other) for other in over) for face in faces)


def _is_in(face: Observation, body: Observation) -> bool:
    """Whether the middle of ``face`` lies in ``body``."""
    if face.box is None or body.box is None:
        return False
    across, down = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    return body.box[0] <= across <= body.box[2] and body.box[1] <= down <= body.box[3]


def _distinct(people: Sequence[Observation]) -> list[Observation]:
    """Return one observation for each person, best first."""
    kept: list[Observation] = []
    for one in sorted(people, key=lambda seen: -seen.score):
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return kept


def _same(one: Observation, other: Observation) -> bool:
    return _shared(one, other) > (SAME_BODY if one.label == other.label == "person" else SAME_PERSON)


def _shared(one: Observation, other: Observation) -> float:
    return within(one.box, other.box) if one.box is not None and other.box is not None else 0.0

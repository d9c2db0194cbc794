"""Somebody is in view, but no face. Pure, no clock.

A body without a face is never "absent" and never serious: somebody reads, writes, or leans on a hand. It is told as
context once it has lasted, later where the face was lost with the head lowered or turned. It ends where nobody is
there: what comes after an absence is another incident.
"""

from collections.abc import Callable, Mapping, Sequence

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.contract.times import Instant
from detectors.base import Observation
from detectors.catalogue import ModelCard, Task
from detectors.head_track import HeadTrack
from detectors.streak import Rule, Sight, Streak
from detectors.thresholds import thresholds

LEAST_MS = 10_000
"""Drinking, stretching or picking up a pen is over by then."""
PATIENCE_S = 30.0
"""Added where the head was last seen lowered (reading, writing) or turned (told by ``detectors.looking_theme``)."""
TURNED_DEGREES = 15.0
FRESH_S = 2.5
"""The detector of bodies looks less often than that of faces; its last look counts for so long."""
GAP_MS = 10_000


class NoFaceTheme:
    """Asks whether there is a body and no face; nothing where nobody looks for bodies."""

    def __init__(self, policy: Detection, new_id: Callable[[], str], cards: Mapping[str, ModelCard]) -> None:
        self._least = {
            label: least
            for task in (Task.OBJECTS, Task.FACES, Task.LANDMARKS)
            for label, least in thresholds(policy, task, cards.get(task)).items()
        }
        self._fresh_s = max(FRESH_S, 2_500 / policy.rate_permille)
        self._head = HeadTrack(self._least["head"])
        titles = [cards[task].title for task in (Task.OBJECTS, Task.FACES) if task in cards]
        rule = Rule(
            kind=IncidentKind.NO_FACE,
            min_ms=LEAST_MS,
            pause_ms=round(1e3 * self._fresh_s),
            gap_ms=GAP_MS,
            facts={"model": ", ".join(titles)} if titles else {},
        )
        self._streak = Streak(rule, new_id)
        self._body: tuple[Instant, float] | None = None
        self._empty_since: Instant | None = None
        self._face_at: Instant | None = None

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        """Take one look of ``detector``; return what it opens and closes."""
        if detector == Task.OBJECTS:
            return self._bodies(at, observations)
        if detector != Task.FACES:
            return []
        self._head.look(at, observations)
        if any(one.label == "face" for one in observations):
            self._face_at = at
        changed = self._streak.look(self._sight(at))
        return [changed] if changed is not None else []

    def finish(self) -> list[Incident]:
        """Close what is open."""
        closed = self._streak.finish()
        return [closed] if closed is not None else []

    def _bodies(self, at: Instant, observations: Sequence[Observation]) -> list[Incident]:
        score = max((one.score for one in observations if one.label == "person"), default=0.0)
        self._body = (at, score) if score >= self._least["person"] else None
        self._empty_since = None if self._body is not None else self._empty_since or at
        if self._empty_since is None or at.seconds_since(self._empty_since) < self._fresh_s:
            return []
        self._head.forget()
        return self.finish()

    def _sight(self, at: Instant) -> Sight:
        without = at.seconds_since(self._face_at) if self._face_at is not None else 0.0
        if self._face_at is None:
            self._face_at = at  # counted from the first look
        body = self._body is not None and at.seconds_since(self._body[0]) <= self._fresh_s
        hit = body and without > (PATIENCE_S if self._was_turned() else 0.0)
        return Sight(
            at=at,
            hit=hit,
            score=self._body[1] if self._body is not None and hit else None,
            source=f"{Task.OBJECTS.value}+{Task.FACES.value}",
            facts={"threshold": f"{self._least['person']:.2f}", "last_seen": self._last_seen()} if hit else {},
        )

    def _was_turned(self) -> bool:
        last = self._head.last
        return last is not None and last.angle >= TURNED_DEGREES

    def _last_seen(self) -> str:
        last = self._head.last
        if last is None:
            return "no face, or none whose turn was measured"
        if last.angle < TURNED_DEGREES:
            return "face towards the screen"
        return f"head turned {last.direction} by {last.angle:.0f} degrees"

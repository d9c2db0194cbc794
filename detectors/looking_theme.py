"""Looking away: by the head first, by the eyes second. Pure, no clock.

Both are measured against this person's own baseline (``detectors.baseline``), by the policy's angle and time. What it
says is where the head or the eyes pointed, for how long and by how many looks; never why. It ends where nobody is
there: who comes then may be somebody else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.contract.times import Instant
from detectors.base import Observation
from detectors.baseline import Baseline
from detectors.catalogue import ModelCard, Task
from detectors.head_track import HeadTrack, Turned
from detectors.streak import Rule, Sight, Streak
from detectors.thresholds import thresholds

HELD = 0.75
"""Share of the angle at which somebody who looks away still does."""
EYES_SHARE = 4 / 7
"""Eyes leave the middle by more than about 20 degrees rarely without the head (Stahl 1999, Exp. Brain Res. 126: the
customary range is 44 degrees in all): the policy's 35 degrees of the head are as unusual as these 20 of the eyes."""
STILL_DEGREES = 15.0
"""Eyes are measured while the head points ahead; beyond this the nose and the lids hide too much of one."""
LOST_S = 60.0
"""How long a face that was lost while it turned counts as turned, as long as there is a body in view."""
LOST_ALONE_S = 5.0
"""The same where nobody looks for bodies."""
BODY_S = 3.0
"""A body that was seen is there for so long. Longer without it or a face, and nobody is there: see ``EMPTY_LOOKS``."""
EMPTY_LOOKS = 2
"""So many looks for bodies in a row find none where nobody is. A busy machine looks every other second: one body that
was missed is no absence."""
PAUSE_MS = 1_000
"""Who looks back at the screen for longer, before it is an incident, has not looked away for the policy's time."""
GAP_MS = 3_000
"""Looking ahead for so long ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Away:
    """What one look says: how far of the limit (1 is the limit), by what, and the facts of it."""

    share: float
    cause: str
    degrees: float
    direction: str


class LookingTheme:
    """Follows head and eyes of the nearest face."""

    def __init__(self, policy: Detection, new_id: Callable[[], str], cards: Mapping[str, ModelCard]) -> None:
        self._away_degrees = float(policy.away_degrees)
        self._by_head, self._by_eyes = policy.looking_away, policy.gaze
        mesh, period_ms = cards.get(Task.LANDMARKS), 1_000_000 / policy.rate_permille
        self._least = thresholds(policy, Task.LANDMARKS, mesh)["head"]
        self._head = HeadTrack(self._least)
        self._eyes = Baseline()
        rule = Rule(
            kind=IncidentKind.LOOKING_AWAY,
            min_ms=policy.away_ms,
            pause_ms=max(PAUSE_MS, round(2.5 * period_ms)),
            gap_ms=max(GAP_MS, round(3.5 * period_ms)),
            facts={"model": mesh.title} if mesh is not None else {},
        )
        self._streak = Streak(rule, new_id)
        self._farthest: _Away | None = None
        self._hit_at: Instant | None = None
        self._lost_since: Instant | None = None
        self._body_at: Instant | None = None
        self._face_at: Instant | None = None
        self._body_s = max(BODY_S, 2.5 * period_ms / 1e3)
        self._looks_for_bodies = False
        self._empty_looks = 0  # for bodies, since anybody was seen

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        """Take one look of ``detector``; return what it opens and closes."""
        if detector == Task.OBJECTS:
            self._looks_for_bodies = True
            self._empty_looks += 1
            if any(one.label == "person" for one in observations):
                self._body_at, self._empty_looks = at, 0
        if detector != Task.FACES:
            return []
        if any(one.label == "face" for one in observations):
            self._face_at, self._empty_looks = at, 0
        if self._is_nobody(at):
            self._head.forget()
            self._lost_since = None
            return self.finish()
        away = self._seen(at, observations) or self._lost(at)
        changed = self._streak.look(self._sight(at, away))
        return [changed] if changed is not None else []

    def finish(self) -> list[Incident]:
        """Close what is open."""
        self._hit_at = None
        closed = self._streak.finish()
        return [closed] if closed is not None else []

    def _is_nobody(self, at: Instant) -> bool:
        seen = self._is_recent(self._body_at, at) or self._is_recent(self._face_at, at)
        return self._empty_looks >= EMPTY_LOOKS and not seen

    def _is_recent(self, seen: Instant | None, at: Instant) -> bool:
        return seen is not None and at.seconds_since(seen) <= self._body_s

    def _seen(self, at: Instant, observations: Sequence[Observation]) -> _Away | None:
        """Judge a head that was measured; ``None`` where none was."""
        turned = self._head.look(at, observations)
        for one in observations:
            if one.label == "ahead" and "eyes" in one.values:
                self._eyes.set((one.values["eyes"],))
        by_eyes = self._gaze(at, turned, observations)
        if turned is None:
            return None
        self._lost_since = None
        by_head = _Away(
            share=turned.angle / self._away_degrees if self._by_head else 0.0,
            cause="head",
            degrees=turned.angle,
            direction=turned.direction,
        )
        return by_eyes if by_eyes is not None and by_eyes.share > by_head.share else by_head

    def _gaze(self, at: Instant, turned: Turned | None, observations: Sequence[Observation]) -> _Away | None:
        gaze = next((one for one in observations if one.label == "gaze" and one.score >= self._least), None)
        if not self._by_eyes or gaze is None or (turned is not None and turned.angle > STILL_DEGREES):
            return None
        self._eyes.add(at, (gaze.values["yaw"],))
        ahead = self._eyes.value
        if ahead is None or turned is None:
            return None
        # Whoever turns the head a little and keeps the eyes on the screen looks nowhere else: the line of sight counts.
        sight = Turned(right=turned.right + gaze.values["yaw"] - ahead[0], up=0.0)
        share = sight.angle / (EYES_SHARE * self._away_degrees)
        return _Away(share=share, cause="eyes", degrees=sight.angle, direction=sight.direction)

    def _lost(self, at: Instant) -> _Away | None:
        """Judge a face that is no longer measured: still turned away if it was lost while it turned."""
        last = self._head.last
        if self._lost_since is None and last is not None and self._by_head:
            self._lost_since = at if self._head.lost_turning(at, self._away_degrees) else None
        if self._lost_since is None or last is None:
            return None
        lasted = at.seconds_since(self._lost_since)
        face = self._face_at == at
        if lasted > (LOST_S if face or self._looks_for_bodies else LOST_ALONE_S):
            return None
        share = 1.0
        if self._looks_for_bodies and not (face or self._is_recent(self._body_at, at)):
            if self._empty_looks >= EMPTY_LOOKS:
                return None
            share = HELD  # until the next look says whether somebody is there: what is open goes on, nothing opens
        return _Away(share=share, cause="face lost while turning", degrees=last.angle, direction=last.direction)

    def _sight(self, at: Instant, away: _Away | None) -> Sight:
        hit = away is not None and away.share >= 1.0
        held = away is not None and away.share >= HELD
        if away is not None and hit:
            again = self._hit_at is None or at.seconds_since(self._hit_at) * 1e3 > GAP_MS
            if again or self._farthest is None or away.degrees >= self._farthest.degrees:
                self._farthest = away
            self._hit_at = at
        return Sight(at=at, hit=hit, held=held, source=Task.FACES.value, facts=self._facts() if hit else {})

    def _facts(self) -> Mapping[str, str]:
        farthest, ahead = self._farthest, self._head.baseline.value
        if farthest is None or ahead is None:
            return {}
        limit = self._away_degrees * (EYES_SHARE if farthest.cause == "eyes" else 1.0)
        return {
            "seen_by": farthest.cause,
            "direction": farthest.direction,
            "largest_degrees": f"{farthest.degrees:.0f}",
            "threshold_degrees": f"{limit:.0f}",
            "straight_ahead": f"yaw {ahead[0]:.0f}, pitch {ahead[1]:.0f} degrees, of {self._head.baseline.looks} looks",
        }

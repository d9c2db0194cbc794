"""A face that is not like the one at the start, over time. Pure, no clock.

Takes the distance that ``detectors.likeness`` measured and nothing else. Light, glasses and a hand change it as well,
so it has to stay far for a while, and what comes of it is advice to look, never who it is.
"""

from collections.abc import Callable, Mapping, Sequence

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.contract.times import Instant
from detectors.base import Observation
from detectors.catalogue import ModelCard, Task
from detectors.streak import Rule, Sight, Streak

UNLIKE = 0.30
"""Distance from here on. In 117 stretches of ten looks the same face in the same recording came to 0.24 at most; 192 of
other people, at other cameras, to 0.29 or more, one to 0.21 (docs/models.md)."""
HELD = 0.27
LEAST_MS = 20_000
PAUSE_MS = 5_000
GAP_MS = 20_000


class ContinuityTheme:
    """Asks whether the nearest face stays like the one at the start."""

    def __init__(self, _policy: Detection, new_id: Callable[[], str], cards: Mapping[str, ModelCard]) -> None:
        mesh = cards.get(Task.LANDMARKS)
        facts = {"threshold": f"{UNLIKE:.2f}", "compared_with": "the start of this session, in memory"}
        if mesh is not None:
            facts["model"] = f"{mesh.title}, local binary patterns (advice)"
        rule = Rule(kind=IncidentKind.OTHER_PERSON, min_ms=LEAST_MS, pause_ms=PAUSE_MS, gap_ms=GAP_MS, facts=facts)
        self._streak = Streak(rule, new_id)

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        """Take one look of ``detector``; return what it opens and closes."""
        measured = next((one.values["distance"] for one in observations if one.label == "likeness"), None)
        if detector != Task.FACES or measured is None:  # a face that is turned says nothing
            return []
        sight = Sight(
            at=at,
            hit=measured >= UNLIKE,
            held=measured >= HELD,
            source=Task.FACES.value,
            facts={"distance": f"{measured:.2f}"},
        )
        changed = self._streak.look(sight)
        return [changed] if changed is not None else []

    def finish(self) -> list[Incident]:
        """Close what is open."""
        closed = self._streak.finish()
        return [closed] if closed is not None else []

"""From observations to incidents: a second person, nobody in view, and every theme. Pure, no clock, no thread.

Whoever feeds it calls ``look`` for each picture analysed and each window of sound heard, also when nothing was seen:
what was *not* seen counts as much. The same looks give the same incidents. It reports and never judges: each incident
says which model saw it, above which score, and at how many of how many looks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.contract.times import Instant
from detectors import loudness
from detectors.base import Observation
from detectors.catalogue import ModelCard, Task
from detectors.hearing import Hearing
from detectors.page_sound import PageSound
from detectors.people import People, View
from detectors.rhythm import pauses
from detectors.streak import Rule, Sight, Streak
from detectors.themes import themes
from detectors.thresholds import thresholds

FRESH_MS = 2_000
"""How long a detector's last look counts beside the newer one of another."""


class Temporal:
    """Turns looks into incidents by the policy. ``cards`` maps a detector's name to the model it runs.

    ``page`` knows when the exam's page played sound.
    """

    def __init__(
        self,
        policy: Detection,
        new_id: Callable[[], str],
        cards: Mapping[str, ModelCard] | None = None,
        page: PageSound | None = None,
    ) -> None:
        cards = cards or {}
        self._cards = cards
        self._thresholds = {
            label: least for task in Task for label, least in thresholds(policy, task, cards.get(task)).items()
        }
        pause, gap = pauses(policy)
        self._people = People(self._thresholds, fresh_ms=FRESH_MS)
        self._second = Streak(
            Rule(
                kind=IncidentKind.SECOND_PERSON,
                min_ms=policy.person_ms,
                pause_ms=pause,
                gap_ms=gap,
                facts={"threshold": f"{self._thresholds['person']:.2f}"},
            ),
            new_id,
        )
        self._counted_by: str = Task.OBJECTS  # the detector that saw a second person last
        self._absent = Streak(
            Rule(kind=IncidentKind.ABSENT, min_ms=policy.absent_ms, pause_ms=pause, gap_ms=gap, strict=True), new_id
        )
        self._themes = (Hearing(policy, new_id, cards, page or PageSound()), *themes(policy, new_id, cards))

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        """Take one look of ``detector`` (objects, faces, speech or loudness); return what it opens and closes.

        An incident appears twice under the same id: opened, with the end so far, and closed, with its final end.
        """
        other = [incident for theme in self._themes for incident in theme.look(at, detector, observations)]
        return [*self._look(at, detector, observations), *other]

    def finish(self) -> list[Incident]:
        """Close what is open, each with the end of what was last seen; what comes afterwards is another incident."""
        other = [incident for theme in self._themes for incident in theme.finish()]
        return [*_some(streak.finish() for streak in (self._second, self._absent)), *other]

    def _look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        if detector in (Task.SPEECH, loudness.NAME):
            return []
        if detector not in (Task.OBJECTS, Task.FACES):
            raise ValueError(f"no rule for what {detector} sees")
        view = self._people.look(at, detector, observations)
        return _some([self._company(at, detector, view), self._absent.look(self._nobody(at, view))])

    def _company(self, at: Instant, detector: str, view: View) -> Incident | None:
        """Count each look once, for what it showed itself.

        A second person may have a body and no face, or a face and no body: the looks of the detector that saw nobody
        else say nothing, neither for nor against, while the one that did goes on looking.
        """
        hit = view.own.sure > 1
        if not hit and detector != self._counted_by and self._counted_by in view.judges:
            return None
        self._counted_by = detector if hit else self._counted_by
        return self._second.look(
            Sight(
                at=at,
                hit=hit,
                held=view.own.perhaps > 1,
                score=view.second,
                source="+".join(view.judges),
                facts={**self._models(view.judges), "people": str(view.most.perhaps)},
            )
        )

    def _nobody(self, at: Instant, view: View) -> Sight:
        # A lowered head shows no face: only where bodies were looked for is nobody there.
        judged = Task.OBJECTS in view.judges
        return Sight(
            at=at,
            hit=judged and view.most.perhaps == 0,
            held=judged and view.most.sure == 0,
            source="+".join(view.judges),
            facts=self._models(view.judges),
        )

    def _models(self, detectors: Sequence[str]) -> Mapping[str, str]:
        titles = [self._cards[name].title for name in detectors if name in self._cards]
        return {"model": ", ".join(titles)} if titles else {}


def _some(incidents: Iterable[Incident | None]) -> list[Incident]:
    return [one for one in incidents if one is not None]

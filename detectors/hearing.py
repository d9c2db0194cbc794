"""What is heard over time: speech, and loud noises that are none. Pure, no clock; one of the themes.

What was heard while the exam's page played sound may be the page's own: it is told as context, with the reason.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from app.contract.incidents import Incident, IncidentKind
from app.contract.policy import Detection
from app.contract.times import Instant
from detectors import loudness
from detectors.base import HOLD, Observation
from detectors.catalogue import ModelCard, Task
from detectors.page_sound import REASON, PageSound
from detectors.streak import Rule, Sight, Streak
from detectors.thresholds import thresholds

SPEECH_PAUSE_MS = 1_500
"""Longest pause inside what is still one utterance; what is further apart never adds up."""
SPEECH_GAP_MS = 3_000
"""Longest pause inside one incident, so that a conversation is one and not fifty."""

LOUD_DBFS = -30.0
LOUD_OVER_FLOOR = 25.0
"""A noise is loud from this level, and so many dB above what is usual here."""
NOISE_MS = 200
NOISE_PAUSE_MS = 250
VOICE_S = 0.5
"""A noise so close to speech is the speech; it is judged that much later, when that is known."""
VOICES = 64
"""Windows with speech that are remembered, two seconds of them."""


class Hearing:
    """Follows speech, and noise where the policy wants it."""

    def __init__(
        self,
        policy: Detection,
        new_id: Callable[[], str],
        cards: Mapping[str, ModelCard],
        page: PageSound,
    ) -> None:
        self._page = page
        card = cards.get(Task.SPEECH)
        self._model = {"model": card.title} if card is not None else {}
        self._least = thresholds(policy, Task.SPEECH, card)["speech"]
        self._speech = Streak(
            Rule(
                kind=IncidentKind.SPEECH,
                min_ms=policy.speech_ms,
                pause_ms=SPEECH_PAUSE_MS,
                gap_ms=SPEECH_GAP_MS,
                facts={"threshold": f"{self._least:.2f}"},
            ),
            new_id,
        )
        self._noise = Streak(_noise_rule(), new_id)
        self._levels: deque[Observation] = deque(maxlen=round(4 * VOICE_S / loudness.BLOCK_S))
        self._voice: deque[Instant] = deque(maxlen=VOICES)

    def look(self, at: Instant, detector: str, observations: Sequence[Observation]) -> list[Incident]:
        """Take one window of sound, or one level; return what it opens and closes."""
        if detector == Task.SPEECH:
            return _some(self._speech.look(self._said(at, observations)))
        if detector == loudness.NAME:
            self._levels.extend(observations)
            return [one for level in self._settled(at) for one in _some(self._noise.look(self._loud(level)))]
        return []

    def finish(self) -> list[Incident]:
        """Close what is open."""
        return [*_some(self._speech.finish()), *_some(self._noise.finish())]

    def _said(self, at: Instant, observations: Sequence[Observation]) -> Sight:
        best = max((seen.score for seen in observations if seen.label == "speech"), default=0.0)
        if best >= self._least:
            self._voice.append(at)
        return Sight(
            at=at,
            hit=best >= self._least,
            held=best >= HOLD * self._least,
            score=best,
            source=Task.SPEECH,
            facts=self._model,
            eased=self._reason(at),
        )

    def _settled(self, now: Instant) -> list[Observation]:
        """Take out the levels of which it is known by now whether somebody spoke."""
        settled = []
        while self._levels and now.seconds_since(self._levels[0].at) >= VOICE_S:
            settled.append(self._levels.popleft())
        return settled

    def _loud(self, level: Observation) -> Sight:
        loud = level.values["dbfs"] >= LOUD_DBFS and level.values["over_floor"] >= LOUD_OVER_FLOOR
        spoken = any(abs(level.at.seconds_since(voice)) <= VOICE_S for voice in self._voice)
        return Sight(
            at=level.at,
            hit=loud and not spoken,
            source=loudness.NAME,
            facts={"level_dbfs": f"{level.values['dbfs']:.0f}", "over_floor_db": f"{level.values['over_floor']:.0f}"},
            eased=self._reason(level.at),
        )

    def _reason(self, at: Instant) -> str:
        return REASON if self._page.during(at) else ""


def _noise_rule() -> Rule:
    facts = {"threshold_dbfs": f"{LOUD_DBFS:.0f}", "threshold_over_floor_db": f"{LOUD_OVER_FLOOR:.0f}"}
    return Rule(
        kind=IncidentKind.LOUD_NOISE, min_ms=NOISE_MS, pause_ms=NOISE_PAUSE_MS, gap_ms=SPEECH_GAP_MS, facts=facts
    )


def _some(incident: Incident | None) -> list[Incident]:
    return [incident] if incident is not None else []

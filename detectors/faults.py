"""What becomes of a detector that raises: tried again twice, then left out, and all of it reported. Pure, no clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.contract.incidents import INCIDENTS, Incident, IncidentKind
from app.contract.times import Instant

TRIES = 3
NOT_JUDGED: Mapping[str, str] = {
    "objects": "whether nobody is in view, things, persons without a face",
    "faces": "where the head is turned, persons without a body",
    "speech": "speech, loud noises",
}
"""What nobody notices once a detector is left out, for the report."""


@dataclass(slots=True)
class _Trouble:
    id: str
    start: Instant
    end: Instant
    error: str
    times: int = 1


class Faults:
    """Counts consecutive failures by detector. One stretch is one incident, reported when it begins and ends."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._troubles: dict[str, _Trouble] = {}

    def alive(self, detector: str) -> bool:
        """Say whether ``detector`` is still to be asked."""
        trouble = self._troubles.get(detector)
        return trouble is None or trouble.times < TRIES

    def failed(self, detector: str, at: Instant, error: Exception) -> Incident | None:
        """Note a failure; the first in a row and the one that ends the detector are reported."""
        trouble = self._troubles.get(detector)
        text = f"{type(error).__name__}: {error}"[:300]
        if trouble is None:
            trouble = self._troubles[detector] = _Trouble(self._new_id(), at, at, text)
        else:
            trouble.end, trouble.error, trouble.times = at, text, trouble.times + 1
        return self._incident(detector, trouble) if trouble.times in {1, TRIES} else None

    def worked(self, detector: str, at: Instant) -> Incident | None:
        """Note a success; the end of a stretch of failures is reported."""
        trouble = self._troubles.pop(detector, None)
        if trouble is None:
            return None
        trouble.end = at
        return self._incident(detector, trouble, went_on=True)

    def _incident(self, detector: str, trouble: _Trouble, *, went_on: bool = False) -> Incident:
        left_out = trouble.times >= TRIES and not went_on
        state = "went on" if went_on else "stopped" if left_out else "tried again"
        return Incident(
            id=trouble.id,
            kind=IncidentKind.DETECTION_DEGRADED,
            start=trouble.start,
            end=trouble.end,
            severity=INCIDENTS[IncidentKind.DETECTION_DEGRADED].severity,
            source=detector,
            facts={
                "detector": detector,
                "error": trouble.error,
                "failures": str(trouble.times),
                "state": state,
                **({"not_judged": NOT_JUDGED[detector]} if left_out and detector in NOT_JUDGED else {}),
            },
        )

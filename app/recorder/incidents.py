"""Incidents on their way into the journal, from whichever part saw them. Called from any thread."""

import secrets
import threading
from collections.abc import Callable

from app.contract.incidents import INCIDENTS, Incident, IncidentKind, Severity
from app.contract.times import Clock, Instant
from app.messages import Report
from app.recorder.granting import Granted
from app.recorder.journal import Journal
from app.recorder.pictures import IncidentPictures
from capture.spool import SpoolFull


class Incidents:
    """Writes incidents of ``epoch``, as the agreement with the candidate wants them.

    ``on_full`` is told when there is no room for an incident's picture; the incident itself is written all the same.
    """

    def __init__(
        self,
        journal: Journal,
        pictures: IncidentPictures,
        clock: Clock,
        *,
        granted: Granted,
        epoch: int,
        on_full: Callable[[SpoolFull], None],
    ) -> None:
        self._journal, self._pictures, self._clock = journal, pictures, clock
        self._granted, self._epoch, self._on_full = granted, epoch, on_full
        self._lock = threading.Lock()
        self._count = 0

    def new_id(self) -> str:
        """Return an incident's id, unique in the session."""
        with self._lock:
            self._count += 1
            return f"{self._epoch}-{self._count}-{secrets.token_hex(3)}"

    def take(self, incident: Incident) -> None:
        """Write an incident, with a picture if the camera saw it."""
        incident = self._granted.settle(incident)
        self._journal.incident(incident)
        try:
            self._pictures.keep(incident)
        except SpoolFull as error:
            self._on_full(error)

    def detected(self, incident: Incident) -> None:
        """Write what a detector saw, unless the agreement says that nobody looks for it."""
        if self._granted.is_looked_for(incident):
            self.take(incident)

    def report(
        self,
        kind: IncidentKind,
        *,
        source: str,
        start: Instant | None = None,
        severity: Severity | None = None,
        **facts: str,
    ) -> None:
        """Write an incident of a moment (now) that is not a detector's."""
        begun = start or self._clock.now()
        self.take_report(Report(kind=kind, start=begun, end=begun, severity=severity, source=source, facts=facts))

    def take_report(self, report: Report) -> None:
        """Write an incident that the shell or the guard saw."""
        self.take(
            Incident(
                id=self.new_id(),
                kind=report.kind,
                start=report.start,
                end=report.end,
                severity=report.severity or INCIDENTS[report.kind].severity,
                source=report.source,
                facts=report.facts,
            )
        )

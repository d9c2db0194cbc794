"""What happened before there was a journal: states and reports are kept, and written down once recording starts."""

from app.contract.times import Clock, Instant
from app.messages import Report, StateIs
from app.recorder.journal import Journal


class StateLog:
    """Remembers the session's states with their times; after ``attach`` hands everything to the journal."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._journal: Journal | None = None
        self._early: list[tuple[StateIs, Instant]] = []
        self.reports: list[Report] = []

    def note(self, state: StateIs) -> None:
        """Note that the session reached a state now."""
        now = self._clock.now()
        if self._journal is None:
            self._early.append((state, now))
        else:
            self._write(self._journal, state, now)

    def keep_report(self, report: Report) -> None:
        """Keep an incident that came before there was a journal."""
        self.reports.append(report)

    def attach(self, journal: Journal) -> None:
        """Write what was kept, and everything from now on, to ``journal``."""
        early, self._early = self._early, []
        for state, at in early:
            self._write(journal, state, at)
        self._journal = journal

    @staticmethod
    def _write(journal: Journal, state: StateIs, at: Instant) -> None:
        journal.state(state.state.value, state.why, at.utc_ms)

"""What the exam's page and the window see, as the incidents that they are: every sighting becomes a report.

GUI thread; no Qt. Ends nothing and pauses nothing.
"""

from collections.abc import Mapping

from app.contract.incidents import IncidentKind
from app.contract.policy import Treatment
from app.shell.course import Course
from app.shell.losses import Loss
from app.shell.reports import Reports

PAGE, WINDOW = "shell.page", "shell.window"


class Sightings:
    """``course`` knows the policy, which may leave something untold."""

    def __init__(self, reports: Reports, course: Course) -> None:
        self._reports = reports
        self._course = course

    def page_incident(self, kind: IncidentKind, facts: Mapping[str, str]) -> None:
        """The page did, or tried to do, what the gate stops."""
        self._reports.note(kind, facts, source=PAGE)

    def focus_lost(self, loss: Loss) -> None:
        """Another window had the focus."""
        self._reports.note(IncidentKind.FOCUS_LOST, loss.facts(), source=WINDOW, since=loss.since)

    def keyboard_taken(self, loss: Loss) -> None:
        """Another program had the keyboard."""
        self._reports.note(IncidentKind.KEYBOARD_TAKEN, loss.facts(), source=WINDOW, since=loss.since)

    def input_sent(self, what: str) -> None:
        """Another program sent input to the window, which blocked it."""
        if self._course.known_policy().lockdown.injected_input is not Treatment.IGNORE:
            facts = {"blocked": what, "by": "XSendEvent"}
            self._reports.note(IncidentKind.INPUT_INJECTED, facts, source=WINDOW)

    def key_blocked(self, name: str) -> None:
        """A key was pressed that the exam does not need."""
        self._reports.note(IncidentKind.KEY_BLOCKED, {"keys": name}, source=WINDOW)

"""What follows from programs that no list names, by the policy: a concern before the exam, incidents during it."""

from collections.abc import Callable, Sequence

from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind
from app.contract.legible import fact
from app.contract.policy import Treatment
from app.messages import Concern
from lockdown.capabilities import Finding
from lockdown.processes import Program
from lockdown.unknown import UnknownPrograms

_SCORE = 1_000  # that no list names it is certain, whatever it is
LISTED = 50
"""Names and paths of a concern: more than anybody reads, and less than breaks a message."""
_ADVICE = "Save your work in them and close them, unless your institution told you to use them."
_FOLLOWS = {
    Treatment.RECORD: "You may start; that they run is written to the recording.",
    Treatment.WARN: "You may start; that they run is written to the recording.",
    Treatment.REFUSE: "The exam does not start while they run.",
}


def concerns(unknown: UnknownPrograms, treatment: Treatment) -> tuple[Concern, ...]:
    """Return what the candidate is told before the exam; nothing where that can't be seen or is only recorded."""
    if treatment in (Treatment.IGNORE, Treatment.RECORD):
        return ()
    try:
        found = unknown.find_new()
    except Unsupported:
        return ()
    return (concern(found, treatment),) if found else ()


def concern(found: Sequence[Program], treatment: Treatment) -> Concern:
    """Return one concern about all of ``found``; names and paths only."""
    named = sorted({program.name for program in found})
    names = ", ".join(named[:LISTED]) + (f" and {len(named) - LISTED} more" if len(named) > LISTED else "")
    places = sorted({fact(program.path or program.name) for program in found})
    return Concern(
        kind=IncidentKind.PROCESS_UNKNOWN,
        treatment=treatment,
        score=_SCORE,
        signals=tuple(places[:LISTED]),
        says=f"On no list of this exam: {names}. {_ADVICE} {_FOLLOWS[treatment]}",
    )


class StrangerWatch:
    """A watch that tells of each unknown program once, and warns the candidate where the policy says so.

    ``warn`` is called with what the candidate is to be told; a refusal during the exam is a warning.
    """

    def __init__(self, unknown: UnknownPrograms, treatment: Treatment, warn: Callable[[Concern], None]) -> None:
        self._unknown = unknown
        self._warns = treatment in (Treatment.WARN, Treatment.REFUSE)
        self._warn = warn
        self.wait = unknown.wait
        self.interrupt = unknown.interrupt
        self.close = unknown.close

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each program not told before."""
        found = self._unknown.find_new()
        if found and self._warns:
            self._warn(concern(found, Treatment.WARN))
        return [self._unknown.finding(program) for program in found]

"""How well a computer was locked, read from opened evidence and put into words. Pure; for reports at a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.contract.errors import IntegrityError
from app.contract.incidents import Track
from app.contract.journal import EntryType, decode_entries
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment
from app.contract.tiers import meaning


class Standings:
    """Collects the journal's ``lockdown`` entries from segments as a verifier opens them (``OnSegment``)."""

    def __init__(self) -> None:
        self.bodies: list[Mapping[str, Any]] = []

    def look(self, record: Record, opened: OpenedSegment | None) -> None:
        """Take one segment; what is no journal, or can't be read, says nothing."""
        if record.track is not Track.JOURNAL or opened is None:
            return
        for fragment in opened.fragments:
            try:
                entries = decode_entries(fragment)
            except IntegrityError:
                continue
            self.bodies += [entry.body for entry in entries if entry.type is EntryType.LOCKDOWN]


def last_standing(bodies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the last word on it with what its tier means; empty if the computer never was locked."""
    return {**bodies[-1], "meaning": meaning(str(bodies[-1].get("tier")))} if bodies else {}


def described(standing: Mapping[str, Any]) -> list[str]:
    """Return ``last_standing`` as lines for people. Another's words: anything may stand in a body."""
    if not standing:
        return []
    missing = standing.get("missing")
    pairs = sorted(missing.items()) if isinstance(missing, Mapping) else []
    return [
        f"Locked: tier {standing.get('tier')} on {standing.get('platform')}. {standing.get('meaning')}",
        *(f"  not taken for a testing centre's seat: {doubt}" for doubt in _listed(standing.get("doubts"))),
        f"  held: {', '.join(map(str, _listed(standing.get('holding')))) or 'nothing'}",
        *(f"  missing: {name}: {reason}" for name, reason in pairs),
    ]


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()

"""Reads one type of entry out of the journal, from segments as a verifier opens them. Pure; decides nothing.

Runs in the process of ``fairlock verify``, ``fairlock open`` and the demonstration's report.
"""

from collections.abc import Mapping
from typing import Any

from app.contract.errors import IntegrityError
from app.contract.incidents import Track
from app.contract.journal import EntryType, decode_entries
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment


class JournalBodies:
    """Collects the bodies of all entries of ``kind``, in the order in which their segments come."""

    def __init__(self, kind: EntryType) -> None:
        self._kind = kind
        self.bodies: list[Mapping[str, Any]] = []

    def look(self, record: Record, opened: OpenedSegment | None) -> None:
        """Take one segment (``OnSegment``); what is no journal, or can't be read, says nothing."""
        if record.track is not Track.JOURNAL or opened is None:
            return
        for fragment in opened.fragments:
            try:
                entries = decode_entries(fragment)
            except IntegrityError:
                continue
            self.bodies += [entry.body for entry in entries if entry.type is self._kind]

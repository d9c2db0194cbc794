"""Entries of the journal as they are sealed: whatever somebody writes, something can be sealed that stands for it.

Called in the thread of who writes, so that the one thread that seals meets nothing that it can't seal: a single odd
text would end the journal, and everybody's evidence with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.contract.journal import Entry, EntryType, encode_entry
from app.contract.legible import fact, legible_json
from app.contract.words import words

LONGEST = 1024 * 1024
"""Bytes of an entry; a policy's words, which are kept word for word, have at most half of it."""
MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a fragment: half of what a segment may hold as one."""
LONGEST_WHY = 200
_NO_FORM = (ValueError, TypeError, AttributeError)
"""What canonical JSON raises for what it has no form for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry, encoded."""

    type: EntryType
    at_ms: int
    data: bytes


def line(entry: Entry) -> Line:
    """Return ``entry``; if it can't be sealed, with its texts made legible and short, or else a note that says so."""
    why = ""
    for form in _forms(entry):
        try:
            data = encode_entry(form)
        except _NO_FORM as error:
            why = words(str(error), LONGEST_WHY)
            continue
        if len(data) <= LONGEST:
            return Line(type=entry.type, at_ms=entry.at_ms, data=data)
        why = "too long"
    said = replace(entry, type=EntryType.NOTE, body={"not_written": entry.type.value, "why": why})
    return Line(type=EntryType.NOTE, at_ms=entry.at_ms, data=encode_entry(said))


def batches(lines: Sequence[Line], most: int) -> Iterator[list[Line]]:
    """Yield ``lines`` in order, at most ``most`` of them and ``MOST_BYTES`` at a time."""
    batch: list[Line] = []
    size = 0
    for one in lines:
        if batch and (len(batch) == most or size + len(one.data) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one.data) + 1
    if batch:
        yield batch


def _forms(entry: Entry) -> Iterator[Entry]:
    yield entry
    yield replace(entry, body={key: legible_json(value, fact) for key, value in entry.body.items()})

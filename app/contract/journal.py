"""The journal: the track of everything that is not picture or sound, and the pictures that belong to incidents.

A plaintext fragment of the ``journal`` track is the canonical JSON of a list of entries. A plaintext fragment of the
``pictures`` track is ``u32 length ‖ canonical JSON of PictureMeta ‖ image bytes``.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from app.contract import canonical, schema
from app.contract.canonical import Json
from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import INCIDENTS, Incident

JOURNAL_MIME = "application/vnd.fairlock.journal+json"
PICTURES_MIME = "application/vnd.fairlock.pictures"


class EntryType(StrEnum):
    """What an entry is about."""

    INCIDENT = "incident"
    GAP = "gap"
    STATE = "state"
    SOURCE = "source"
    NOTE = "note"
    AGREEMENT = "agreement"
    LOCKDOWN = "lockdown"
    QUALITY = "quality"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal. ``at_ms`` is on the session's timeline; ``body`` depends on ``type``.

    An incident may come twice under one ``id``: when it opens and, with its final end, when it closes.
    """

    type: EntryType
    at_ms: int
    utc_ms: int
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureMeta:
    """Which incident a picture belongs to, and when it was taken (session timeline)."""

    incident: str
    at_ms: int
    mime: str


def incident_body(incident: Incident, *, start_ms: int, end_ms: int) -> dict[str, Json]:
    """Return an incident as an entry's body; times are on the session's timeline."""
    window = incident.evidence
    return {
        "id": incident.id,
        "kind": incident.kind.value,
        "title": INCIDENTS[incident.kind].title,
        "severity": incident.severity.value,
        "source": incident.source,
        "start_ms": start_ms,
        "end_ms": end_ms,
        "facts": dict(incident.facts),
        "evidence": {"from_ms": window.from_ms, "to_ms": window.to_ms} if window else None,
    }


def notice_body(text: str, policy_digest: bytes) -> dict[str, Json]:
    """Return the body of the notice that the candidate acknowledged: its text as shown, and under which policy."""
    return {"sha256": sha256(text.encode()).hexdigest(), "policy": policy_digest.hex(), "text": text}


def encode_entries(entries: Sequence[Entry]) -> bytes:
    """Return the plaintext fragment of some entries; raises as ``encode_entry``."""
    return entries_fragment([encode_entry(entry) for entry in entries])


def encode_entry(entry: Entry) -> bytes:
    """Return one entry as it stands in a fragment; raises ``ValueError`` for what has no canonical form."""
    value: Json = {"type": entry.type.value, "at_ms": entry.at_ms, "utc_ms": entry.utc_ms, "body": dict(entry.body)}
    return canonical.dumps([value])[1:-1]  # in its list: there nothing may nest deeper


def entries_fragment(encoded: Sequence[bytes]) -> bytes:
    """Return the plaintext fragment of entries that are encoded already."""
    return b"[" + b",".join(encoded) + b"]"


def decode_entries(fragment: bytes) -> list[Entry]:
    """Read a journal fragment; an empty one holds nothing. Raises ``IntegrityError(BAD_FORMAT)``."""
    if not fragment:
        return []
    values = canonical.loads(fragment)
    if not isinstance(values, list):
        raise IntegrityError(Outcome.BAD_FORMAT, "a journal fragment must be a list")
    return [_entry(value) for value in values]


def _entry(value: Json) -> Entry:
    if not isinstance(value, dict) or set(value) != {"type", "at_ms", "utc_ms", "body"}:
        raise IntegrityError(Outcome.BAD_FORMAT, "a journal entry has other keys than it should")
    kind, at_ms, utc_ms, body = value["type"], value["at_ms"], value["utc_ms"], value["body"]
    known = isinstance(kind, str) and kind in set(EntryType)
    # Exactly an integer: to Python true and false are some, too.
    if not known or type(at_ms) is not int or type(utc_ms) is not int or not isinstance(body, dict):
        raise IntegrityError(Outcome.BAD_FORMAT, "a journal entry has a value of another type than it should")
    return Entry(type=EntryType(kind), at_ms=at_ms, utc_ms=utc_ms, body=body)


def encode_picture(meta: PictureMeta, image: bytes) -> bytes:
    """Return the plaintext fragment of one picture."""
    head = schema.dumps(meta)
    return struct.pack(">I", len(head)) + head + image


def decode_picture(fragment: bytes) -> tuple[PictureMeta, bytes]:
    """Read a picture fragment; raises ``IntegrityError(BAD_FORMAT)``."""
    if len(fragment) < 4:
        raise IntegrityError(Outcome.BAD_FORMAT, "a picture fragment is too short")
    (length,) = struct.unpack(">I", fragment[:4])
    return schema.loads(PictureMeta, fragment[4 : 4 + length]), fragment[4 + length :]

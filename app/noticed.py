"""Which notice the candidate acknowledged, read from opened evidence and put into words for a terminal. Pure.

The words are the application's claim, like all of the journal; what is checked here is that digest, words and policy
belong together. Runs in the process of ``fairlock verify`` and ``fairlock open``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from app.contract.errors import IntegrityError
from app.contract.incidents import Track
from app.contract.journal import EntryType, decode_entries
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What was acknowledged. ``sha256`` (hex) is of ``text``; ``fits``: so the journal says, and under this policy."""

    text: str
    sha256: str
    fits: bool


class Notices:
    """Collects the journal's ``notice`` entries from segments as a verifier opens them (``OnSegment``)."""

    def __init__(self, policy_digest: bytes) -> None:
        self._policy = policy_digest.hex()
        self._bodies: list[Mapping[str, Any]] = []

    def look(self, record: Record, opened: OpenedSegment | None) -> None:
        """Take one segment; what is no journal, or can't be read, says nothing."""
        if record.track is not Track.JOURNAL or opened is None:
            return
        for fragment in opened.fragments:
            try:
                entries = decode_entries(fragment)
            except IntegrityError:
                continue
            self._bodies += [entry.body for entry in entries if entry.type is EntryType.NOTICE]

    def acknowledged(self) -> tuple[Notice, ...]:
        """Return each different notice once: every start of the application writes down what was read before."""
        return tuple(dict.fromkeys(self._read(body) for body in self._bodies))

    def _read(self, body: Mapping[str, Any]) -> Notice:
        said = body.get("text")
        text = said if isinstance(said, str) else ""
        digest = sha256(text.encode()).hexdigest()
        fits = (said, body.get("sha256"), body.get("policy")) == (text, digest, self._policy)
        return Notice(text=text, sha256=digest, fits=fits)


def described(notices: Sequence[Notice], at_most: int) -> list[str]:
    """Return a line for each of the first ``at_most``, and how many more there are."""
    lines = [
        f"Notice read and acknowledged, SHA-256 of its words: {notice.sha256}"
        + ("" if notice.fits else " (NOT what the journal says of it, or under another policy)")
        for notice in notices[:at_most]
    ]
    return lines if len(notices) <= at_most else [*lines, f"… and {len(notices) - at_most} more notices."]

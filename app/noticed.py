"""Which notice the candidate acknowledged, read from opened evidence and put into words for a terminal. Pure.

The words are the application's claim, like all of the journal; what is checked here is that digest, words and policy
belong together. Runs in the process of ``fairlock verify`` and ``fairlock open``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from app.contract.journal import EntryType
from app.journal_bodies import JournalBodies


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What was acknowledged. ``sha256`` (hex) is of ``text``; ``fits``: so the journal says, and under this policy."""

    text: str
    sha256: str
    fits: bool


class Notices(JournalBodies):
    """Collects the journal's ``notice`` entries."""

    def __init__(self, policy_digest: bytes) -> None:
        super().__init__(EntryType.NOTICE)
        self._policy = policy_digest.hex()

    def acknowledged(self) -> tuple[Notice, ...]:
        """Return each different notice once: every start of the application writes down what was read before."""
        return tuple(dict.fromkeys(self._read(body) for body in self.bodies))

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

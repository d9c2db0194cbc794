"""Bodies and answers of the examiner's exam and session calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.contract.coverage import Missing
from app.contract.schema import setting
from app.contract.sealing.evidence import ServerIncident
from server.actions.views import ActionView

# `bytes` is the name of a field below.
Digest: TypeAlias = bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExam:
    """An exam is its signed policy."""

    policy: str = setting(doc="The policy's compact JWS.", minimum=1, maximum=256 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamAnswer:
    """A stored exam; ``policy`` is SHA-256 of the policy's JWS."""

    exam: str
    title: str
    policy: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQuota:
    """How much an exam may store."""

    bytes: int | None = setting(doc="Bytes of all its sessions; null for no limit.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaView:
    """How much an exam may store (null: no limit) and how much it does, in bytes."""

    exam: str
    bytes: int | None
    stored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantAnswer:
    """Somebody who was added: key id and name, by whose key, for how many segments."""

    recipient: str
    name: str
    granter: str
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRow:
    """A line of the list of exams."""

    exam: str
    title: str
    institution: str
    expires_ms: int
    created_ms: int
    candidates: int
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamList:
    """All exams, the newest first."""

    exams: tuple[ExamRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCandidate:
    """A line of the roster."""

    name: str = setting(doc="Name as the examiner and the candidate see it.", minimum=1, maximum=200)
    expires_ms: int | None = setting(None, doc="When the invite ceases to work; none means the policy's.", minimum=0)
    agreement: str | None = setting(
        None, doc="The compact JWS of what the candidate is granted.", minimum=1, maximum=16 * 1024
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The link for one candidate; it is shown this once."""

    candidate: str
    name: str
    invite: str
    link: str
    expires_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """A line of the roster, with the session once there is one. ``agreement`` says whether something was granted."""

    candidate: str
    name: str
    session: str | None
    expires_ms: int
    agreement: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateList:
    """The roster of an exam."""

    candidates: tuple[CandidateRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionList:
    """The server's signed words on sessions that it deleted (``records.Deletion``), the newest first."""

    deletions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A line of the list of sessions."""

    session: str
    exam: str
    title: str
    candidate: str
    state: str
    started_ms: int
    last_seen_ms: int
    frozen: bool
    segments: int
    bytes: int
    incidents: int
    ended: bool
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionList:
    """Sessions, the newest first."""

    sessions: tuple[SessionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDetail(SessionRow):
    """One session: the line of the list and what belongs to it.

    ``head`` is the end of the chain last confirmed, ``missing`` what the records that arrived so far do not cover.
    """

    epochs: int
    tracks: Mapping[str, int]
    head: Digest | None
    records: int
    missing: tuple[Missing, ...]
    server_incidents: tuple[ServerIncident, ...]
    actions: tuple[ActionView, ...]

"""Actions: the only thing that flows back from examiner to candidate. Signed by the server that authorised them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ActionKind(StrEnum):
    """What an examiner can do to a running session."""

    MESSAGE = "message"
    PAUSE = "pause"
    RESUME = "resume"
    TERMINATE = "terminate"
    THAW = "thaw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action: ``id`` makes it idempotent, ``issuer`` is the examiner's account name."""

    id: str
    session: str
    kind: ActionKind
    arguments: Mapping[str, str]
    issuer: str
    issued_ms: int

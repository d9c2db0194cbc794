"""Bodies and answers of the examiner's calls about actions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.contract.actions import ActionKind
from app.contract.schema import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAction:
    """Something to do to a running session."""

    kind: ActionKind = setting(doc="What to do.")
    arguments: Mapping[str, str] = field(default_factory=dict, metadata={"doc": "For a message: `text`.", "maximum": 8})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionView:
    """An action that was issued."""

    id: str
    kind: ActionKind
    arguments: Mapping[str, str]
    issuer: str
    issued_ms: int

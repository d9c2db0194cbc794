"""A session's evidence as it is exported, and the verifier that any machine can run.

An export is a folder or a zip archive::

    manifest.json                              a ``Manifest`` in canonical JSON
    segments/{epoch}-{track}-{sequence}.fls    segment files
    grants.json                                ``grants.Grants``, where recipients were added later
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.contract.schema import setting
from app.contract.sealing.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerIncident:
    """What the server itself saw: the client can't report a second program or its own silence."""

    kind: str = setting(doc="An IncidentKind.", maximum=64)
    at_ms: int = setting(doc="The server's time.", minimum=0)
    facts: Mapping[str, str] = setting(doc="Flat map of short texts.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything signed about a session. All signed parts are compact JWS; records stand in the chain's order."""

    version: int = setting(doc="Format version.", minimum=1, maximum=1)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    institution_key: bytes = setting(doc="P-256 public key that signed the policy.", minimum=65, maximum=65)
    policy: str = setting(doc="The policy's JWS.")
    bindings: tuple[str, ...] = setting(doc="A binding for each epoch.")
    records: tuple[str, ...] = setting(doc="Records in the chain's order.")
    receipts: tuple[str, ...] = setting(doc="The receipt of each record, same order.")
    end: str | None = setting(None, doc="The end's JWS.")
    completion: str | None = setting(None, doc="The completion's JWS.")
    server_incidents: tuple[ServerIncident, ...] = setting((), doc="What the server saw.")


def segment_name(record: Record) -> str:
    """Return the file name of a record's segment inside an export."""
    return f"segments/{record.epoch}-{record.track}-{record.sequence}.fls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong: the outcome's word, where, and a sentence."""

    outcome: str
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFinding:
    """What a verifier says of one grant. ``outcome`` is "ok" or what is wrong; then the names may be unknown (empty).

    ``segments`` counts the wraps. Whether they open is only seen with the added recipient's key.
    """

    outcome: str
    where: str
    message: str
    recipient: str = ""
    recipient_id: str = ""
    granter: str = ""
    granted_ms: int = 0
    segments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verifier found. ``chain`` is "intact" or the first fault's outcome; ``grants`` never change it."""

    chain: str
    faults: tuple[Fault, ...]
    records: tuple[Record, ...]
    segments: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    complete: bool = False
    grants: tuple[GrantFinding, ...] = ()

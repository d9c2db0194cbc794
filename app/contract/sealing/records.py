"""What is signed: policies, bindings, segment records in their chain, receipts, and the end of a session.

::

    institution (ES256)  policy ─ names ─> server's receipt key, recipients
    server (EdDSA)       binding ─ names ─> session's signing key of an epoch, policy's digest
    session (EdDSA)      record 0 <─ record 1 <─ … <─ end        each holds the digest of the one before
    server (EdDSA)       receipt of each record, completion of the end
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from app.contract import canonical
from app.contract.incidents import Track
from app.contract.schema import setting

FORMAT_VERSION = 1
POLICY_TYPE = "fairlock-policy+v1"
BINDING_TYPE = "fairlock-binding+v1"
RECORD_TYPE = "fairlock-record+v1"
RECEIPT_TYPE = "fairlock-receipt+v1"
END_TYPE = "fairlock-end+v1"
COMPLETION_TYPE = "fairlock-completion+v1"
DELETION_TYPE = "fairlock-deletion+v1"
ACTION_TYPE = "fairlock-action+v1"
OPENING_TYPE = "fairlock-opening+v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The server's word that ``signing_key`` speaks for ``session`` from ``epoch`` on, under this policy."""

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    exam: str = setting(doc="Exam id.", minimum=1, maximum=64)
    candidate: str = setting(doc="Candidate's name as on the roster.", maximum=200)
    epoch: int = setting(doc="Counts program starts of the session from 0.", minimum=0, maximum=10_000)
    signing_key: bytes = setting(doc="Ed25519 public key of the session in this epoch.", minimum=32, maximum=32)
    program: bytes = setting(doc="SHA-256 of the program token.", minimum=32, maximum=32)
    policy: bytes = setting(doc="SHA-256 of the policy's JWS.", minimum=32, maximum=32)
    bound_ms: int = setting(doc="The server's time.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One sealed segment's place in the session.

    ``previous`` is the digest of the record before it in the whole session (of any track), or ``genesis`` for the
    first. ``complete`` is false for a segment whose tail was torn by a crash and recovered.
    """

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    epoch: int = setting(doc="Epoch the segment was made in.", minimum=0, maximum=10_000)
    track: Track = setting(doc="Track.")
    sequence: int = setting(doc="Counts the track's segments of this epoch from 0.", minimum=0, maximum=10_000_000)
    fragments: int = setting(doc="Number of SFrames.", minimum=0, maximum=1_000_000)
    size: int = setting(doc="Length of the segment file in bytes.", minimum=0)
    digest: bytes = setting(doc="SHA-256 of the segment file.", minimum=32, maximum=32)
    previous: bytes = setting(doc="Digest of the previous record of the session.", minimum=32, maximum=32)
    start_ms: int = setting(doc="Start on the session's timeline.", minimum=0)
    duration_ms: int = setting(doc="Length on the session's timeline.", minimum=0)
    closed_ms: int = setting(doc="Wall clock when it was closed.", minimum=0)
    complete: bool = setting(doc="Whether the final fragment was written.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The session's word, while a segment is being written, that its header is this: who watches live needs no record.

    It is no part of the evidence; the record, which follows, speaks of the whole file.
    """

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    epoch: int = setting(doc="Epoch the segment is made in.", minimum=0, maximum=10_000)
    track: Track = setting(doc="Track.")
    sequence: int = setting(doc="Counts the track's segments of this epoch from 0.", minimum=0, maximum=10_000_000)
    header: bytes = setting(doc="SHA-256 of the segment's header.", minimum=32, maximum=32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The server's word that it stores a segment. ``record`` is the digest of the record's JWS."""

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    record: bytes = setting(doc="SHA-256 of the record's JWS.", minimum=32, maximum=32)
    digest: bytes = setting(doc="SHA-256 of the stored file.", minimum=32, maximum=32)
    size: int = setting(doc="Bytes stored.", minimum=0)
    received_ms: int = setting(doc="The server's time.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The application's last word: the chain's head and how many segments each track has."""

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    head: bytes = setting(doc="Digest of the last record.", minimum=32, maximum=32)
    records: int = setting(doc="Number of records in the chain.", minimum=0)
    segments: Mapping[str, int] = setting(doc="Segments per track.")
    reason: str = setting(doc="The event that ended the exam.", maximum=64)
    ended_ms: int = setting(doc="Wall clock at the end.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The server's word that it stores everything the end speaks of."""

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    end: bytes = setting(doc="SHA-256 of the end's JWS.", minimum=32, maximum=32)
    completed_ms: int = setting(doc="The server's time.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The server's word that it stores nothing of a session any more, for whoever holds the receipts.

    ``head`` is the end of the chain that it last heard of, none if there never was one.
    """

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    head: bytes | None = setting(doc="Digest of the last record heard of.", minimum=32, maximum=32)
    segments: int = setting(doc="Number of segments deleted.", minimum=0)
    size: int = setting(doc="Their bytes.", minimum=0)
    deleted_ms: int = setting(doc="The server's time.", minimum=0)


def genesis(session: str, policy_digest: bytes) -> bytes:
    """Return what the first record calls ``previous``: it ties the chain to the session and to the policy."""
    fields: dict[str, canonical.Json] = {
        "policy": canonical.b64(policy_digest),
        "session": session,
        "version": FORMAT_VERSION,
    }
    return sha256(b"fairlock-genesis-v1\0" + canonical.dumps(fields)).digest()

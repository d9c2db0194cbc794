"""The seam between the server and whatever keeps the segment files. Called from worker threads."""

import re
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeAlias

from app.contract.errors import Retryable
from app.contract.incidents import Track

_SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A segment's place: unique within the server.

    ``record`` is the digest of the segment's record: rivals for one place have files of their own, and none can touch
    another's. None where no record is known, and for files from before they were told apart.
    """

    session: str
    epoch: int
    track: Track
    sequence: int
    record: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantPlace:
    """Where the wraps of one grant lie: with the session's segments, so that they go with them."""

    session: str
    grant: str


Stored: TypeAlias = Place | GrantPlace
"""The place of anything that a store keeps."""


def folder_of(session: str) -> str:
    """Return the folder of a session's segments, ``sessions/SESSION``.

    Raises ``ValueError`` for what is no session id: it comes from an address and must not name another folder.
    """
    if not _SESSION.fullmatch(session):
        raise ValueError(f"{session!r} is not a session id")
    return f"sessions/{session}"


def path_of(place: Stored) -> str:
    """Return where a file lies in any store.

    ``sessions/SESSION/EPOCH-TRACK-SEQUENCE.RECORD.fls`` for a segment (files of earlier servers lack ``RECORD``),
    ``sessions/SESSION/grant-ID.wraps`` for a grant's wraps.
    """
    if isinstance(place, GrantPlace):
        return f"{folder_of(place.session)}/grant-{place.grant}.wraps"
    record = f".{place.record.hex()}" if place.record else ""
    return f"{folder_of(place.session)}/{place.epoch}-{place.track}-{place.sequence}{record}.fls"


class StorageFull(Retryable):
    """The store has no room or does not answer; the application keeps its copy and tries again."""

    code = "E-STORAGE"


class Upload(Protocol):
    """Bytes on their way to one place. Nothing is visible before ``publish``; ``discard`` leaves nothing behind."""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes, which may change afterwards; raises ``StorageFull``."""
        ...

    def finish(self) -> tuple[int, bytes]:
        """Hand the last bytes to the store; return their number and SHA-256. Raises ``StorageFull``."""
        ...

    def publish(self) -> None:
        """Make the finished bytes the segment at the upload's place, all at once, instead of what was there.

        Returns when the store has confirmed it. Raises ``StorageFull``; then it may or may not have happened.
        """
        ...

    def discard(self) -> None:
        """Throw the bytes away; harmless after ``publish``."""
        ...


class SegmentStore(Protocol):
    """A store of segments and of grants' wraps. Every method raises ``StorageFull`` when the store does not answer."""

    def begin(self, place: Stored) -> Upload:
        """Start an upload to ``place``."""
        ...

    def open(self, place: Stored) -> BinaryIO:
        """Open a segment for reading (seekable); raises ``FileNotFoundError``.

        What a reader yields is of one segment, also when another one is published meanwhile: it goes on with the
        first, or raises ``StorageFull``.
        """
        ...

    def size(self, place: Stored) -> int:
        """Return a segment's length in bytes; raises ``FileNotFoundError``."""
        ...

    def held(self, session: str) -> dict[str, int]:
        """Return all that lies in a session's folder, as ``path_of`` names it, with its bytes."""
        ...

    def delete(self, place: Stored) -> None:
        """Delete a segment; harmless when it is not there."""
        ...

    def shred(self, session: str, head: int) -> None:
        """Delete all that lies in a session's folder for good, also what no row speaks of; harmless when nothing does.

        Where a store can overwrite in place, the first ``head`` bytes of each segment, and other files as a whole, are
        overwritten first. What it keeps elsewhere (snapshots, replicas, worn cells of a disk) is out of reach. Returns
        when all is gone; raises ``StorageFull`` when something stays, after it has deleted what it could.
        """
        ...

"""The seam between the server and whatever keeps the segment files. Called from worker threads."""

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from app.contract.errors import Retryable
from app.contract.incidents import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A segment's place: unique within the server."""

    session: str
    epoch: int
    track: Track
    sequence: int


class StorageFull(Retryable):
    """The store has no room or does not answer; the application keeps its copy and tries again."""

    code = "E-STORAGE"


class Upload(Protocol):
    """Bytes on their way in. Nothing is visible before ``publish``; ``discard`` leaves nothing behind."""

    def write(self, data: bytes) -> None:
        """Append bytes; raises ``StorageFull``."""
        ...

    def finish(self) -> tuple[int, bytes]:
        """Put the bytes on the disk for good; return their number and SHA-256. Raises ``StorageFull``."""
        ...

    def publish(self, place: Place) -> None:
        """Make the finished bytes the segment at ``place``, all at once, instead of what was there."""
        ...

    def discard(self) -> None:
        """Throw the bytes away; harmless after ``publish``."""
        ...


class SegmentStore(Protocol):
    """A store of segment files."""

    def begin(self) -> Upload:
        """Start an upload; raises ``StorageFull``."""
        ...

    def open(self, place: Place) -> BinaryIO:
        """Open a segment for reading (seekable); raises ``FileNotFoundError``."""
        ...

    def size(self, place: Place) -> int:
        """Return a segment's length in bytes; raises ``FileNotFoundError``."""
        ...

    def delete(self, place: Place) -> None:
        """Delete a segment; harmless when it is not there."""
        ...

    def shred(self, place: Place, head: int) -> None:
        """Overwrite a segment's first ``head`` bytes for good, then delete it; harmless when it is not there.

        What a file system keeps elsewhere (snapshots, worn cells of a disk) is out of reach.
        """
        ...

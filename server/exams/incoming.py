"""A segment on its way into the store. Used in worker threads, one call after the other."""

from app.contract.wire import SegmentAnswer
from server.context import Context
from server.exams import evidence
from server.exams.evidence import Announced
from server.storage.base import Upload


class Incoming:
    """Bytes of an announced segment.

    A turn in a thread costs more than the disk does. So it begins with its first block and ends with its last one: most
    segments take a single turn.
    """

    def __init__(self, context: Context, announced: Announced) -> None:
        self._context, self._announced = context, announced
        self._upload: Upload | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is something to discard."""
        return self._upload is not None

    def write(self, block: bytes | memoryview) -> Upload:
        """Append a block; return where it went."""
        if self._upload is None:
            self._upload = self._context.store.begin(self._announced.place)
        self._upload.write(block)
        return self._upload

    def keep(self, block: bytes = b"") -> tuple[SegmentAnswer, bool]:
        """Append the last block and store the segment, as ``evidence.keep``."""
        answer = evidence.keep(self._context, self._announced, self.write(block))
        self.discard()
        return answer

    def discard(self) -> None:
        """Leave nothing behind but what was stored."""
        if self._upload is not None:
            self._upload.discard()
        self._upload = None

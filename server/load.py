"""Back-pressure: how many uploads are under way, and the figure from 0 to 10 that every answer carries."""

import threading
from collections import Counter


class Load:
    """Counts the uploads under way, of which one session may hold only a few. Safe to use from any thread."""

    LIMIT = 64
    SESSION_LIMIT = 4

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: Counter[str] = Counter()

    def enter(self, session: str) -> bool:
        """Count an upload of ``session`` in; false when there are too many already (then nothing is counted)."""
        with self._lock:
            if self._uploads.total() >= self.LIMIT or self._uploads[session] >= self.SESSION_LIMIT:
                return False
            self._uploads[session] += 1
            return True

    def leave(self, session: str) -> None:
        """Count an upload out."""
        with self._lock:
            self._uploads[session] -= 1
            if not self._uploads[session]:
                del self._uploads[session]

    @property
    def health(self) -> int:
        """Load from 0 (idle) to 10 (nothing more is taken)."""
        with self._lock:
            return self._uploads.total() * 10 // self.LIMIT

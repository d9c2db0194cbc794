"""Back-pressure: how many uploads are under way, and the figure from 0 to 10 that every answer carries."""

import threading


class Load:
    """Counts the uploads under way. Safe to use from any thread."""

    LIMIT = 64

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads = 0

    def enter(self) -> bool:
        """Count an upload in; false when there are too many already (then nothing is counted)."""
        with self._lock:
            if self._uploads >= self.LIMIT:
                return False
            self._uploads += 1
            return True

    def leave(self) -> None:
        """Count an upload out."""
        with self._lock:
            self._uploads -= 1

    @property
    def health(self) -> int:
        """Load from 0 (idle) to 10 (nothing more is taken)."""
        return self._uploads * 10 // self.LIMIT

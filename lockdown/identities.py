"""Remembers what an executable says it is, as long as the file does not change. Runs in whichever thread asks."""

from collections.abc import Callable
from pathlib import Path

from lockdown.processes import NOTHING_KNOWN, Identity

MOST_REMEMBERED = 4_096


class OncePerFile:
    """Asks ``read`` once for each path, size and time of the last change."""

    def __init__(self, read: Callable[[str], Identity]) -> None:
        self._read = read
        self._known: dict[tuple[str, int, int], Identity] = {}

    def __call__(self, path: str) -> Identity:
        """Return what the file at ``path`` says it is; nothing for one that can't be looked at."""
        try:
            status = Path(path).stat() if path else None
        except OSError:
            status = None
        if status is None:
            return NOTHING_KNOWN
        key = (path, status.st_size, status.st_mtime_ns)
        if key not in self._known:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = self._read(path)
        return self._known[key]

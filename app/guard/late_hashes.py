"""What is told of programs that were closed, with the SHA-256 of executables that take long to read.

They are read in ``guard-late-hashes``, a thread of its own: neither the watch nor the closer waits for a disk. The
file was opened while the program ran, so that the hash is that of what ran, whatever its name stands for by now.
"""

import logging
import threading
from dataclasses import replace

from app.contract.policy import Capability
from app.guard.disk_reader import DiskReader
from app.guard.watching import Tell, tell_anyway
from lockdown.capabilities import Finding
from lockdown.hashing import MOST_HELD, Executable

_Late = tuple[Finding, Executable]
_log = logging.getLogger("fairlock.guard")


class LateHashes:
    """Tells findings once the hash is read; from ``stop`` on without waiting for it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._reader: DiskReader[_Late] = DiskReader("guard-late-hashes", MOST_HELD, self._tell_whole)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._under_way: Finding | None = None

    def tell(self, finding: Finding, held: Executable | None) -> None:
        """Tell ``finding``, with the hash of ``held`` where there is one, which is let go of. One thread."""
        if held is not None and self._reader.offer((finding, held)):
            return
        if held is not None:
            held.close()
        self._say(finding)

    def stop(self) -> None:
        """Read nothing more, and tell what is left; what a disk that stands still has kept is told without a hash."""
        self._stopped.set()
        left = self._reader.stop()
        standing = self._claim()
        for finding in [standing, *(finding for finding, _held in left)]:
            if finding is not None:
                self._say(finding)
        for _finding, held in left:
            held.close()

    def _tell_whole(self, late: _Late) -> None:
        finding, held = late
        with self._lock:
            self._under_way = finding
        digest = self._digest(held)
        if self._claim() is not None:  # else it was told at the end without waiting for this
            self._say(replace(finding, facts={**finding.facts, "sha256": digest}) if digest else finding)

    def _claim(self) -> Finding | None:
        """Return the finding whose executable is being read, to whoever asks first."""
        with self._lock:
            finding, self._under_way = self._under_way, None
        return finding

    def _digest(self, held: Executable) -> str | None:
        try:
            return held.sha256(self._stopped.is_set)
        except Exception:  # noqa: BLE001  (whatever keeps one from being read, its closing is to be told)
            _log.exception("an executable could not be read")
            return None
        finally:
            held.close()

    def _say(self, finding: Finding) -> None:
        tell_anyway(self._tell, finding, Capability.PROCESS_WATCH)

"""What is told of programs that were closed, with the SHA-256 of executables that take long to read.

They are read in ``guard-late-hashes``, a thread of its own: neither the watch nor the closer waits for a disk. The
file was opened while the program ran, so that the hash is that of what ran, whatever its name stands for by now.
"""

import threading
from dataclasses import replace

from app.contract.policy import Capability
from app.guard.disk_reader import DiskReader
from app.guard.watching import Tell, tell_anyway
from lockdown.capabilities import Finding
from lockdown.hashing import MOST_HELD, Executable

_Late = tuple[Finding, Executable]


class LateHashes:
    """Tells findings once the hash is read; from ``stop`` on without waiting for it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._reader: DiskReader[_Late] = DiskReader("guard-late-hashes", MOST_HELD, self._tell_whole)
        self._stopped = threading.Event()

    def tell(self, finding: Finding, held: Executable | None) -> None:
        """Tell ``finding``, with the hash of ``held`` where there is one, which is let go of. One thread."""
        if held is not None and self._reader.offer((finding, held)):
            return
        if held is not None:
            held.close()
        tell_anyway(self._tell, finding, Capability.PROCESS_WATCH)

    def stop(self) -> None:
        """Read nothing more, and wait until what is left was told."""
        self._stopped.set()
        self._reader.stop()

    def _tell_whole(self, late: _Late) -> None:
        tell_anyway(self._tell, self._whole(*late), Capability.PROCESS_WATCH)

    def _whole(self, finding: Finding, held: Executable) -> Finding:
        try:
            digest = held.sha256(self._stopped.is_set)
        finally:
            held.close()
        return replace(finding, facts={**finding.facts, "sha256": digest}) if digest else finding

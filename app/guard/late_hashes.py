"""What is told of programs that were closed, with the SHA-256 of executables that take long to read.

They are read in ``guard-late-hashes``, a thread of its own: neither the watch nor the closer waits for a disk. The
file was opened while the program ran, so that the hash is that of what ran, whatever its name stands for by now.
"""

import threading
from dataclasses import replace

from app.contract.policy import Capability
from app.guard.watching import Tell, tell_anyway
from app.mailbox import Bounded, Closed
from lockdown.capabilities import Finding
from lockdown.hashing import MOST_HELD, Executable

JOIN_S = 2.0

_Late = tuple[Finding, Executable]


class LateHashes:
    """Tells findings once the hash is read; from ``stop`` on without waiting for it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._waiting: Bounded[_Late] = Bounded(MOST_HELD)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, finding: Finding, held: Executable | None) -> None:
        """Tell ``finding``, with the hash of ``held`` where there is one, which is let go of. One thread."""
        if held is not None and self._waiting.offer((finding, held)):
            self._start()
            return
        if held is not None:
            held.close()
        tell_anyway(self._tell, finding, Capability.PROCESS_WATCH)

    def stop(self) -> None:
        """Read nothing more, and wait until what is left was told."""
        self._stopped.set()
        self._waiting.close()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="guard-late-hashes", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                late = self._waiting.take()
                if late is not None:
                    tell_anyway(self._tell, self._whole(*late), Capability.PROCESS_WATCH)
        except Closed:
            return

    def _whole(self, finding: Finding, held: Executable) -> Finding:
        try:
            digest = held.sha256(self._stopped.is_set)
        finally:
            held.close()
        return replace(finding, facts={**finding.facts, "sha256": digest}) if digest else finding

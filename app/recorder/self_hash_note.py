"""Writes into the journal which build records, in a thread of its own: nobody who waits for the lock waits for this."""

import threading

from app.recorder.journal import Journal
from app.self_hash import self_hash

DEADLINE_S = 10.0


class SelfHashNote:
    """Owns the thread ``self-hash``, which ends by itself when the note is written."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._thread = threading.Thread(target=self._run, name="self-hash", daemon=True)

    def start(self) -> None:
        """Begin to read the program's files."""
        self._thread.start()

    def stop(self) -> None:
        """Wait until it is written, so that a short session has it too; but not for a disk that hangs."""
        self._thread.join(DEADLINE_S)

    def _run(self) -> None:
        try:
            said = self_hash()
        except OSError as error:
            said = f"unknown: the program's files can't be read ({error.strerror})"
        self._journal.note(self_hash=said)

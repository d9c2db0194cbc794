"""The SHA-256 of executables during the exam, read by a thread of its own: the watch must not wait for a disk."""

import threading

from app.mailbox import Bounded, Closed
from lockdown.processes import ProcessTable, Program

CAPACITY = 1024
JOIN_S = 2.0

_Key = tuple[int, float, str]


class HashesLater:
    """Implements ``watch.Hashes``. Asked by one thread; reads in ``guard-hashing``, which starts with the first wish.

    What finds no room is asked for again when the watch judges everybody anew.
    """

    def __init__(self, table: ProcessTable) -> None:
        self._table = table
        self._wishes: Bounded[Program] = Bounded(CAPACITY)
        self._known: dict[int, tuple[_Key, str | None]] = {}
        self._asked: set[_Key] = set()
        self._thread: threading.Thread | None = None

    def sha256(self, program: Program) -> str | None:
        """Return the hash if it is known by now."""
        key = _key(program)
        known_key, digest = self._known.get(program.pid, (None, None))
        if known_key == key:
            return digest
        if key not in self._asked and self._wishes.offer(program):
            self._asked.add(key)
            self._start()
        return None

    def settled(self) -> frozenset[int]:
        """Return the processes whose hash has become known since the last call."""
        known = {key for key, _ in list(self._known.values())}
        done = self._asked & known
        self._asked -= done
        return frozenset(pid for pid, _, _ in done)

    def stop(self) -> None:
        """Read nothing more; waits for the file that is being read."""
        self._wishes.close()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="guard-hashing", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                program = self._wishes.take()
                if program is not None:
                    self._known[program.pid] = (_key(program), self._table.sha256(program))
        except Closed:
            return


def _key(program: Program) -> _Key:
    return program.pid, program.created, program.path

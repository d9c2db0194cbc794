"""The SHA-256 of executables during the exam, read by a thread of its own: the watch must not wait for a disk."""

from app.guard.disk_reader import DiskReader
from lockdown.processes import ProcessTable, Program

CAPACITY = 1024

_Key = tuple[int, float, str]


class HashesLater:
    """Implements ``watch.Hashes``. Asked by one thread; reads in ``guard-hashing``, which starts with the first wish.

    What finds no room is asked for again when the watch judges everybody anew.
    """

    def __init__(self, table: ProcessTable) -> None:
        self._table = table
        self._reader: DiskReader[Program] = DiskReader("guard-hashing", CAPACITY, self._read)
        self._known: dict[int, tuple[_Key, str | None]] = {}
        self._asked: set[_Key] = set()

    def sha256(self, program: Program) -> str | None:
        """Return the hash if it is known by now."""
        key = _key(program)
        known_key, digest = self._known.get(program.pid, (None, None))
        if known_key == key:
            return digest
        if key not in self._asked and self._reader.offer(program):
            self._asked.add(key)
        return None

    def settled(self) -> frozenset[int]:
        """Return the processes whose hash has become known since the last call."""
        known = {key for key, _ in list(self._known.values())}
        done = self._asked & known
        self._asked -= done
        return frozenset(pid for pid, _, _ in done)

    def stop(self) -> None:
        """Ask for nothing more, and wait a while until what was asked for is read."""
        self._reader.stop()

    def _read(self, program: Program) -> None:
        self._known[program.pid] = (_key(program), self._table.sha256(program))


def _key(program: Program) -> _Key:
    return program.pid, program.created, program.path

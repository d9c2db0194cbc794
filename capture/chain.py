"""The session's chain of records, kept on disk: one signed record per line, each naming the digest of the one before.

Shared by the sealing threads of all tracks. A record is durable before anybody sees it, so no two records can ever
claim the same place, whatever crashes. Never rewrites a whole line; only a torn last line is cut off.
"""

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.records import RECORD_TYPE, Record, genesis
from capture.durable import sync_folder, write_all

Place = tuple[int, Track, int]
"""Epoch, track and sequence: what names a segment within a session."""

_READ = 4_096


class Chain:
    """The chain of one session, continued from disk with this epoch's ``key``.

    Raises ``IntegrityError(BROKEN_CHAIN)`` when what is on disk is not one chain of this session.
    """

    def __init__(self, path: Path, session: str, policy_digest: bytes, key: Ed25519PrivateKey) -> None:
        self._path, self._session, self._key = path, session, key
        self._lock = threading.Lock()
        self._head = genesis(session, policy_digest)
        # Where each line begins, by sequence: an exam has thousands, and a key of three for each took twice the memory.
        self._lines: dict[tuple[int, Track], dict[int, int]] = {}
        self._ends: dict[Track, int] = {}
        self._size = 0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            self._read()
        except BaseException:
            os.close(self._file)
            raise
        sync_folder(path.parent)

    @property
    def head(self) -> bytes:
        """Return the digest of the last record, or the genesis."""
        with self._lock:
            return self._head

    @property
    def count(self) -> int:
        """Return the number of records."""
        with self._lock:
            return sum(map(len, self._lines.values()))

    def counts(self) -> dict[str, int]:
        """Return the number of records per track, of all epochs."""
        with self._lock:
            counts = Counter[str]()
            for (_, track), lines in self._lines.items():
                counts[track.value] += len(lines)
        return dict(sorted(counts.items()))

    def ends(self) -> dict[Track, int]:
        """Return where the newest segment of each track ends on the session's timeline, in milliseconds."""
        with self._lock:
            return dict(self._ends)

    def append(self, make: Callable[[bytes], Record]) -> str:
        """Sign and store ``make(previous digest)``; return its JWS once it is durable.

        Raises ``OSError`` when the disk is full; the chain is then as it was before.
        """
        with self._lock:
            record = make(self._head)
            token = jws.sign(record, self._key, typ=RECORD_TYPE)
            self._store(token.encode() + b"\n")
            self._take(record, token)
            return token

    def find(self, place: Place) -> str | None:
        """Return the JWS of the record at ``place``, if there is one."""
        with self._lock:
            epoch, track, sequence = place
            offset = self._lines.get((epoch, track), {}).get(sequence)
            return None if offset is None else self._line(offset).decode()

    def close(self) -> None:
        """Close the file; twice is fine."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _line(self, offset: int) -> bytes:
        os.lseek(self._file, offset, os.SEEK_SET)
        line = b""
        while b"\n" not in line and (more := os.read(self._file, _READ)):
            line += more
        return line.partition(b"\n")[0]

    def _store(self, line: bytes) -> None:
        os.lseek(self._file, self._size, os.SEEK_SET)
        try:
            write_all(self._file, line)
            os.fsync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise

    def _read(self) -> None:
        data = self._path.read_bytes()
        lines = data.splitlines(keepends=True)
        for number, line in enumerate(lines):
            try:
                record = self._check(line)
            except IntegrityError as error:
                # A power cut can leave part of a line, or zeros; only at the very end.
                if number == len(lines) - 1 and error.outcome is Outcome.BAD_FORMAT:
                    break
                raise IntegrityError(Outcome.BROKEN_CHAIN, f"record {number} on disk: {error}") from error
            self._take(record, line[:-1].decode())
        os.ftruncate(self._file, self._size)
        os.fsync(self._file)

    def _check(self, line: bytes) -> Record:
        if not line.endswith(b"\n") or not line.isascii():
            raise IntegrityError(Outcome.BAD_FORMAT, "the line is torn")
        record = jws.unverified(Record, line[:-1].decode())
        if record.previous != self._head or record.session != self._session:
            raise IntegrityError(Outcome.BROKEN_CHAIN, "it does not follow the one before")
        return record

    def _take(self, record: Record, token: str) -> None:
        self._lines.setdefault((record.epoch, record.track), {})[record.sequence] = self._size
        self._ends[record.track] = max(self._ends.get(record.track, 0), record.start_ms + record.duration_ms)
        self._size += len(token) + 1
        self._head = jws.digest(token)

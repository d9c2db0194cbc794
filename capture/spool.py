"""Sealed segments on disk until the server has them. Holds ciphertext only, and no key.

::

    {epoch}-{track}-{sequence}.part    being written: whole fragments, and at worst a torn last one
    {epoch}-{track}-{sequence}.fls     closed; its record is in the chain
    index.sqlite                       queue: record, state, receipt

A ``SegmentFile`` belongs to one sealing thread; ``Spool`` itself is shared by all of them and the uploader. What a
power cut can cost is the last second of each track, and what a crash of the program can cost is nothing that
``append`` returned from.
"""

import contextlib
import errno
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.contract.errors import Retryable
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from app.contract.times import Clock
from capture.chain import Place
from capture.durable import sync_data, sync_folder, write_all

_SYNC_EVERY_NS = 1_000_000_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY,
    record BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    jws TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'refused', 'received')),
    receipt TEXT
);
CREATE INDEX IF NOT EXISTS by_state ON segments (state, id);
"""


class SpoolFull(Retryable):
    """There is no room for more evidence; there will be when the server has received some."""

    code = "E-SPOOL-FULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A closed segment that waits for its receipt. ``record_digest`` names it."""

    record_digest: bytes
    record_jws: str
    record: Record
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolTotals:
    """Bytes and segments by state, of everything that was ever closed in this session."""

    pending_bytes: int
    pending: int
    refused: int
    received_bytes: int
    received: int


class SegmentFile:
    """A ``.part`` file that grows by whole fragments."""

    def __init__(self, path: Path, place: Place, clock: Clock) -> None:
        self.path, self.place = path, place
        self.size = 0
        self._clock = clock
        self._synced_ns = clock.now().mono_ns
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o600)
        try:
            # Without its name in the folder what is synced into it would be lost all the same.
            sync_folder(path.parent)
        except OSError:
            self.close()
            path.unlink()  # else its place would be taken when there is room again
            raise

    def append(self, data: bytes | bytearray) -> None:
        """Write ``data``, unbuffered; synced to the disk about once a second.

        Raises ``OSError`` when the disk is full; the file then ends in a torn fragment, which ``recovery`` cuts off.
        """
        write_all(self._file, data)
        self.size += len(data)
        now_ns = self._clock.now().mono_ns
        if now_ns - self._synced_ns >= _SYNC_EVERY_NS:
            sync_data(self._file)
            self._synced_ns = now_ns

    def finish(self) -> None:
        """Make everything durable and close the file."""
        os.fsync(self._file)
        self.close()

    def close(self) -> None:
        """Close the file as it is; twice is fine."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Spool:
    """The folder of one session's segments. ``quota_bytes`` bounds what is not yet received."""

    def __init__(self, folder: Path, *, session: str, quota_bytes: int, clock: Clock) -> None:
        self.folder, self.session = folder, session
        self.quota_bytes, self._clock = quota_bytes, clock
        self._lock = threading.Lock()
        self._open_bytes = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._index = _open_index(folder / "index.sqlite")
        self._pending_bytes = self._sum("pending") + self._sum("refused")
        self._drop_received_files()

    def create(self, place: Place) -> SegmentFile:
        """Begin the file of a new segment; raises ``OSError``, also when the place was used before."""
        return SegmentFile(self.folder / f"{file_stem(place)}.part", place, self._clock)

    def reserve(self, size: int) -> None:
        """Count ``size`` bytes about to be appended; raises ``SpoolFull`` when they would pass the quota."""
        with self._lock:
            if self._pending_bytes + self._open_bytes + size > self.quota_bytes:
                raise SpoolFull(f"{self.quota_bytes:,} bytes of evidence wait for the server and no more may")
            self._open_bytes += size

    def release(self, size: int) -> None:
        """Take back what ``reserve`` counted for a file that is not written any more."""
        with self._lock:
            self._open_bytes = max(0, self._open_bytes - size)

    def commit(self, part: Path, record: Record, token: str) -> None:
        """Turn a finished ``.part`` into a segment that waits for upload; its record must be in the chain.

        Raises ``OSError`` when the disk is full; committing again is safe.
        """
        row = (jws.digest(token), part.stem, record.size, token)
        with self._lock:
            # The row first: a row without its file is mended by committing again, and nobody sees it meanwhile.
            with _disk_full_is_os_error(), self._index:
                cursor = self._index.execute(
                    "INSERT OR IGNORE INTO segments (record, name, size, jws, state) VALUES (?, ?, ?, ?, 'pending')",
                    row,
                )
            self._pending_bytes += record.size * max(0, cursor.rowcount)
            part.replace(part.with_suffix(".fls"))
            sync_folder(self.folder)

    def pending(self, limit: int = 64, *, without: Collection[bytes] = ()) -> list[Spooled]:
        """Return the oldest segments without a receipt, passing over the records in ``without``."""
        query = "SELECT record, jws, name FROM segments WHERE state = 'pending' ORDER BY id LIMIT ?"
        with self._lock:
            rows = self._index.execute(query, (limit + len(without),)).fetchall()
        wanted = [row for row in rows if row[0] not in without][:limit]
        return [
            Spooled(
                record_digest=digest,
                record_jws=token,
                record=jws.unverified(Record, token),
                path=self.folder / f"{name}.fls",
            )
            for digest, token, name in wanted
        ]

    def mark_received(self, record_digest: bytes, receipt_jws: str, *, keep_file: bool = False) -> None:
        """Store the server's checked receipt; only then is the file deleted."""
        self._set_state(record_digest, "received", receipt_jws)
        if not keep_file:
            (self.folder / f"{self._name(record_digest)}.fls").unlink(missing_ok=True)

    def mark_refused(self, record_digest: bytes) -> None:
        """Set a segment aside that the server will never take; its file stays."""
        self._set_state(record_digest, "refused", None)

    def receipt(self, record_digest: bytes) -> str | None:
        """Return the receipt of a segment."""
        with self._lock:
            row = self._index.execute("SELECT receipt FROM segments WHERE record = ?", (record_digest,)).fetchone()
        return row[0] if row else None

    def pending_bytes(self) -> int:
        """Return the bytes that are sealed and not yet received, those being written included."""
        with self._lock:
            return self._pending_bytes + self._open_bytes

    def totals(self) -> SpoolTotals:
        """Return counts and bytes by state."""
        with self._lock:
            rows = self._index.execute("SELECT state, COUNT(*), SUM(size) FROM segments GROUP BY state").fetchall()
        by_state = {state: (count, size) for state, count, size in rows}
        pending, pending_bytes = by_state.get("pending", (0, 0))
        received, received_bytes = by_state.get("received", (0, 0))
        return SpoolTotals(
            pending_bytes=pending_bytes,
            pending=pending,
            refused=by_state.get("refused", (0, 0))[0],
            received_bytes=received_bytes,
            received=received,
        )

    def knows(self, name: str) -> bool:
        """Say whether a segment called ``name`` (``file_stem``) is in the index."""
        with self._lock:
            return self._index.execute("SELECT 1 FROM segments WHERE name = ?", (name,)).fetchone() is not None

    def close(self) -> None:
        """Close the index."""
        with self._lock:
            self._index.close()

    def _set_state(self, record_digest: bytes, state: str, receipt: str | None) -> None:
        with self._lock, self._index:
            row = self._index.execute("SELECT size, state FROM segments WHERE record = ?", (record_digest,)).fetchone()
            if row is None:
                raise KeyError(f"no segment has the record {record_digest.hex()}")
            self._index.execute(
                "UPDATE segments SET state = ?, receipt = ? WHERE record = ?", (state, receipt, record_digest)
            )
            if state == "received" and row[1] != "received":
                self._pending_bytes -= row[0]

    def _name(self, record_digest: bytes) -> str:
        with self._lock:
            row = self._index.execute("SELECT name FROM segments WHERE record = ?", (record_digest,)).fetchone()
        return str(row[0])

    def _sum(self, state: str) -> int:
        row = self._index.execute("SELECT COALESCE(SUM(size), 0) FROM segments WHERE state = ?", (state,)).fetchone()
        return int(row[0])

    def _drop_received_files(self) -> None:
        """Delete what a crash left between the receipt and the deletion."""
        for (name,) in self._index.execute("SELECT name FROM segments WHERE state = 'received'").fetchall():
            (self.folder / f"{name}.fls").unlink(missing_ok=True)


def file_stem(place: Place) -> str:
    """Return the name, without ending, of the file of a segment."""
    epoch, track, sequence = place
    return f"{epoch}-{track}-{sequence}"


@contextlib.contextmanager
def _disk_full_is_os_error() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OSError(errno.ENOSPC, str(error)) from error


def _open_index(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.DatabaseError:
        # The queue is rebuilt from the files and the chain; what is lost are receipts, which the server has too.
        for broken in path.parent.glob(f"{path.name}*"):
            broken.rename(broken.with_name(f"broken-{broken.name}"))
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    index = sqlite3.connect(path, check_same_thread=False)
    try:
        # Small pages, for each segment changes some four of them, and the write-ahead log holds whole ones.
        index.execute("PRAGMA page_size = 1024")
        # The cache would grow to 2 MB in an exam, for rows that are asked for once. Negative: in KiB.
        index.execute("PRAGMA cache_size = -256")
        index.execute("PRAGMA journal_mode = WAL")
        index.execute("PRAGMA synchronous = FULL")
        index.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        index.close()
        raise
    return index

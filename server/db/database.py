"""Connections to SQLite: readers in parallel, one writer at a time, and commits that survive a power cut on request.

Used from worker threads only; each ``with`` block is one transaction on a connection of its own.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

READERS = 40
BUSY_S = 10


class Database:
    """The database file ``path``; made on the first write."""

    def __init__(self, path: Path) -> None:
        self._reading = _engine(path, begin="BEGIN", synchronous="NORMAL", connections=READERS)
        # In WAL mode NORMAL survives a killed process; FULL syncs each commit and with it all before, for receipts.
        self._swift = _engine(path, begin="BEGIN IMMEDIATE", synchronous="NORMAL", connections=1)
        self._durable = _engine(path, begin="BEGIN IMMEDIATE", synchronous="FULL", connections=1)
        # SQLite's own waiting for the writer sleeps in growing steps; a lock hands over at once.
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that sees one moment of the database; what it changes is not kept."""
        with Session(self._reading, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        """Yield a session whose changes are committed at the end, or undone when the block raises.

        With ``durable`` the commit is on the disk when the block is left, also when the power fails then.
        """
        engine = self._durable if durable else self._swift
        with self._writer, Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @property
    def engine(self) -> Engine:
        """The engine for migrations."""
        return self._durable

    def close(self) -> None:
        """Close all connections."""
        for engine in (self._reading, self._swift, self._durable):
            engine.dispose()


def _engine(path: Path, *, begin: str, synchronous: str, connections: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
    )

    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own BEGIN comes too late for reads and without IMMEDIATE for writes.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", start)
    return engine

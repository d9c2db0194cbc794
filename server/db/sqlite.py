"""SQLite: a file in WAL mode, many readers, one writer at a time."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from server.db.database import Database

READERS = 40
BUSY_S = 10


def connect(path: Path) -> Database:
    """Return the database in the file ``path``, which the first write makes."""
    return Database(
        reading=_engine(path, begin="BEGIN", synchronous="NORMAL", connections=READERS),
        # In WAL mode NORMAL survives a killed process; FULL syncs each commit and with it all before, for receipts.
        swift=_engine(path, begin="BEGIN IMMEDIATE", synchronous="NORMAL", connections=1),
        durable=_engine(path, begin="BEGIN IMMEDIATE", synchronous="FULL", connections=1),
        # SQLite's own waiting for the writer sleeps in growing steps; a lock hands over at once.
        turns=threading.Lock(),
        begin=("BEGIN", "BEGIN IMMEDIATE"),
    )


def _engine(path: Path, *, begin: str, synchronous: str, connections: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        # Values go by name, as with PostgreSQL.
        paramstyle="named",
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

"""PostgreSQL through psycopg 3: many writers at a time, who lock the row of the session that they write about.

Transactions that write see what was committed before each statement (READ COMMITTED); that two do not mix up one
session is for the lock on its row (``access.find``), and that one exam does not change under a joining candidate, for
the lock on the exam's.
"""

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.contract.errors import UserFacing
from server.db.database import Database

CONNECTIONS = 32
"""Of one process; PostgreSQL grants 100 in all unless it is told otherwise."""
WAIT_S = 10
STATEMENT_MS = 30_000
_OPTIONS = {
    # Said here and not left to the database: a role or a server may have it off, and a receipt would be lost with it.
    "synchronous_commit": "on",
    "lock_timeout": STATEMENT_MS,
    "idle_in_transaction_session_timeout": STATEMENT_MS,
}


def connect(url: str) -> Database:
    """Return the database at ``postgresql://USER@HOST/NAME``; the first use connects. Raises ``UserFacing``."""
    engine = create_engine(
        _address(url),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WAIT_S,
        # A database that was started anew must not be told by the first request that meets a dead connection.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": WAIT_S,
            "application_name": "fairlock-server",
            "options": " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items()),
        },
    )
    swift = engine.execution_options()
    event.listen(swift, "begin", _unhurried)
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(reading=reading, swift=swift, durable=engine)


def _unhurried(connection: Connection) -> None:
    # What no receipt speaks of (heartbeats, cookie tokens) need not be on the disk before its answer: PostgreSQL syncs
    # it within a second, and any later durable commit syncs all before it.
    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def _address(url: str) -> URL:
    unfit = UserFacing(
        "The address of the database is not one of PostgreSQL.",
        advice="Write it as postgresql://USER@HOST/NAME.",
        code="E-SETTINGS",
    )
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise unfit from None
    if address.get_backend_name() != "postgresql":
        raise unfit
    return address.set(drivername="postgresql+psycopg")

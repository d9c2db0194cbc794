"""The database as the server uses it: readers in parallel, writers whose commits survive a power cut on request.

Used from worker threads only; each ``with`` block is one transaction on a connection of its own. ``sqlite`` and
``postgres`` make the engines; nothing else asks which of the two it is.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.contract.errors import Retryable
from server.db import plain
from server.db.plain import Plain

LOCKING = {"key_share": True}
"""What ``with_for_update`` takes for a row that others may go on to refer to; SQLite has one writer and ignores it."""

# SQLSTATE 40001 serialisation failure, 40P01 deadlock, 23505 and 23503: somebody else wrote or deleted the row first.
_OVERTAKEN = frozenset({"40001", "40P01", "23505", "23503"})

# SQLSTATE 25P03 and 25P04: PostgreSQL ended a transaction that was idle, or open, for too long. To psycopg that is an
# internal error, not an operational one.
_CUT_OFF = frozenset({"25P03", "25P04"})

_log = logging.getLogger("fairlock.database")


class Unanswering(Retryable):
    """The database is not reached, is full, or has no connection free."""

    code = "E-STORAGE"


class Overtaken(Retryable):
    """Another transaction came in between, and this one was undone as a whole; doing it again goes through."""

    code = "E-STORAGE"


class Database:
    """Three views of one database; ``turns`` is held by whoever writes.

    ``begin`` is how a plain transaction that reads begins, and one that writes, where the driver does not say it.
    ``when_silent`` is called, by whichever thread meets it, when something could not be written.
    """

    def __init__(
        self,
        *,
        reading: Engine,
        swift: Engine,
        durable: Engine,
        turns: "AbstractContextManager[object] | threading.Lock | None" = None,
        begin: tuple[str, str] = ("", ""),
    ) -> None:
        self._reading, self._swift, self._durable = reading, swift, durable
        self._turns = turns or nullcontext()
        self._begin = begin
        self.when_silent: Callable[[], None] = lambda: None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that sees one moment of the database; what it changes is not kept."""
        with _told(), Session(self._reading, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        """Yield a session whose changes are committed at the end, or undone when the block raises.

        With ``durable`` the commit is on the disk when the block is left, also when the power fails then. Raises
        ``Overtaken`` or ``Unanswering``.
        """
        engine = self._durable if durable else self._swift
        with self._heard(), self._turns, Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read_plainly(self) -> Iterator[Plain]:
        """As ``read``, past SQLAlchemy's execution; each statement may see another moment."""
        with _told(), plain.transaction(self._reading, self._begin[0], kept=False) as tx:
            yield tx

    @contextmanager
    def write_plainly(self) -> Iterator[Plain]:
        """As ``write`` with ``durable``, past SQLAlchemy's execution."""
        with self._heard(), self._turns, plain.transaction(self._durable, self._begin[1], kept=True) as tx:
            yield tx

    @property
    def engine(self) -> Engine:
        """The engine for migrations."""
        return self._durable

    def close(self) -> None:
        """Close all connections."""
        for engine in (self._reading, self._swift, self._durable):
            engine.dispose()

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            with _told():
                yield
        except Unanswering:
            self.when_silent()
            raise


@contextmanager
def _told() -> Iterator[None]:
    """Turn what may pass by itself into ``Retryable``; its words go out to clients, the database's into the log."""
    try:
        yield
    except PoolTimeout:
        raise Unanswering("all connections to the database are in use", after_s=2) from None
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _OVERTAKEN:
            raise Overtaken("another request wrote the same at the same moment", after_s=1) from error
        if isinstance(error, OperationalError) or state in _CUT_OFF:
            _log.warning("the database refuses: %s %s", state or "", error.orig)
            raise Unanswering("the database does not answer", after_s=5) from error
        raise

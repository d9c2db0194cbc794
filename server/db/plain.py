"""Transactions past SQLAlchemy's own execution, for the one path on which a server spends its time: taking segments in.

A small statement costs the database some ten microseconds, and a session with its objects, events and compiled caches
ten times that. Here a statement is compiled once and then handed to the driver as text. Used from worker threads, by
``Database`` alone; decides nothing, and translates the driver's errors into SQLAlchemy's.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError


class Plain:
    """One transaction. Statements take their values by the names of their ``bindparam``."""

    def __init__(self, cursor: DBAPICursor, dialect: Dialect) -> None:
        self._cursor, self._dialect = cursor, dialect

    def rows(self, statement: ClauseElement, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Return all that ``statement`` finds, as the driver reads it."""
        self._cursor.execute(_text(statement, self._dialect), values)
        return list(self._cursor.fetchall())

    def run(self, statement: ClauseElement, values: Mapping[str, object]) -> None:
        """Run a statement that finds nothing."""
        self._cursor.execute(_text(statement, self._dialect), values)


@contextmanager
def transaction(engine: Engine, begin: str, *, kept: bool) -> Iterator[Plain]:
    """Yield a transaction that is committed at the end if it is ``kept``, or undone, as when the block raises.

    ``begin`` is what the driver does not say by itself. Raises SQLAlchemy's ``DBAPIError``, also where nobody is there
    to connect to.
    """
    dialect = engine.dialect
    try:
        # The pool undoes what was not committed, and throws a connection away that does not answer to that.
        with closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if begin:
                cursor.execute(begin)
            yield Plain(cursor, dialect)
            if kept:
                connection.commit()
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error


@lru_cache(maxsize=256)
def _text(statement: ClauseElement, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))

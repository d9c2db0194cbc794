"""Transactions past SQLAlchemy's execution fail, and keep, as the others do; on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select

from server.db import sqlite
from server.db.database import Database, Unanswering
from server.db.migrate import upgrade
from server.db.models import Account
from server.db.postgres import connect
from tests.unit.server_databases import KINDS, either_database

_ADD = insert(Account).values(name=bindparam("name"), role="examiner", password="-", created_ms=0)
_NAMES = select(Account.name)


database = pytest.fixture(params=KINDS)(either_database)


@pytest.fixture(params=KINDS)
def away(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a database to which nobody can connect."""
    if request.param == "sqlite":
        database = sqlite.connect(tmp_path / "gone" / "test.db")
    else:
        database = connect(f"postgresql://fairlock@/none?host={tmp_path}")
    yield database
    database.close()


def test_what_is_written_is_kept_by_who_writes_alone(database: Database) -> None:
    upgrade(database)
    values = {"role": "examiner", "password": "-", "created_ms": 0}
    with database.write_plainly() as tx:
        tx.run(_ADD, {"name": "ada", **values})
    with database.read_plainly() as tx:
        tx.run(_ADD, {"name": "eve", **values})
    with database.read_plainly() as tx:
        assert tx.rows(_NAMES, {}) == [("ada",)]


def test_block_that_raises_leaves_nothing(database: Database) -> None:
    upgrade(database)

    def fail() -> None:
        with database.write_plainly() as tx:
            tx.run(_ADD, {"name": "ada", "role": "examiner", "password": "-", "created_ms": 0})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.read_plainly() as tx:
        assert tx.rows(_NAMES, {}) == []


def test_database_that_is_away_is_a_reason_to_wait(away: Database) -> None:
    silent: list[str] = []
    away.when_silent = lambda: silent.append("not written")
    with pytest.raises(Unanswering, match="does not answer"), away.read_plainly() as tx:
        tx.rows(_NAMES, {})
    assert silent == []
    with pytest.raises(Unanswering, match="does not answer"), away.write_plainly() as tx:
        tx.rows(_NAMES, {})
    assert silent == ["not written"]

"""The schema: migrations lead from nothing to the models, and the connections do what they promise."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from server.db.database import Database
from server.db.migrate import configuration, upgrade
from server.db.models import Account, Base, Candidate, Exam, InstitutionKey, Segment, Session
from server.exams.evidence import ROW


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "test.db")
    yield database
    database.close()


def test_migrations_up_from_empty_equal_the_models(database: Database) -> None:
    upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    upgrade(database)


def test_migrations_down_to_nothing_and_up_again(database: Database) -> None:
    upgrade(database)
    command.downgrade(configuration(database), "base")
    with database.read() as tx:
        tables = tx.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    assert tables == ["alembic_version"]
    upgrade(database)


def test_stored_bytes_are_counted_for_sessions_that_were_there(database: Database) -> None:
    upgrade(database)
    exam = {"institution_key": "k", "title": "", "institution": "", "policy": "", "digest": b"", "start_url": ""}
    session = {"started_ms": 0, "state": "", "client": b"", "epoch": 0, "actions_from_ms": 0, "records": 2}
    segment = {"epoch": 0, "track": "camera", "record": "", "digest": b"", "receipt": "", "received_ms": 0}
    with database.write() as tx:
        for row in (
            InstitutionKey(id="k", name="", public=b"", created_ms=0),
            Exam(id="e", expires_ms=0, created_ms=0, **exam),
            Candidate(id="c", exam="e", name="", invite=b"", expires_ms=0, created_ms=0),
            Session(id="s", exam="e", candidate="c", **session),
            Segment(session="s", sequence=0, size=100, record_digest=b"1", previous=b"0", **segment),
            Segment(session="s", sequence=1, size=20, record_digest=b"2", previous=b"1", **segment),
        ):
            tx.add(row)
            tx.flush()
    command.downgrade(configuration(database), "0001")
    upgrade(database)
    with database.read() as tx:
        assert tx.get_one(Session, "s").stored == 120 + 2 * ROW


def _account(name: str) -> Account:
    return Account(name=name, role="examiner", password="-", created_ms=0)


def test_block_that_raises_leaves_nothing(database: Database) -> None:
    upgrade(database)

    def fail() -> None:
        with database.write() as tx:
            tx.add(_account("ada"))
            tx.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.read() as tx:
        assert tx.scalars(select(Account)).all() == []


def test_readers_see_one_moment_and_keep_nothing(database: Database) -> None:
    upgrade(database)
    with database.read() as reader:
        assert reader.get(Account, "ada") is None
        with database.write() as writer:
            writer.add(_account("ada"))
        assert reader.get(Account, "ada") is None
        reader.add(_account("eve"))
    with database.read() as reader:
        assert [row.name for row in reader.scalars(select(Account))] == ["ada"]


def test_writers_in_parallel_lose_no_update(database: Database) -> None:
    upgrade(database)
    with database.write() as tx:
        tx.add(_account("ada"))

    def count(durable: bool) -> None:
        for _ in range(25):
            with database.write(durable=durable) as tx:
                tx.get_one(Account, "ada").created_ms += 1

    threads = [threading.Thread(target=count, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as tx:
        assert tx.get_one(Account, "ada").created_ms == 100


def test_commits_for_receipts_are_synced(database: Database) -> None:
    with database.write(durable=True) as tx:
        assert tx.scalar(text("PRAGMA synchronous")) == 2
        assert tx.scalar(text("PRAGMA journal_mode")) == "wal"
    with database.write() as tx:
        assert tx.scalar(text("PRAGMA synchronous")) == 1

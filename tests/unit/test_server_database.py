"""The schema: migrations lead from nothing to the models, and the connections do what they promise.

All of it on SQLite and on a real PostgreSQL.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from app.contract.errors import UserFacing
from server.db import sqlite
from server.db.database import LOCKING, Database, Overtaken, Unanswering
from server.db.migrate import configuration, upgrade
from server.db.models import Account, Base, Candidate, Exam, InstitutionKey, Segment, Session
from server.db.postgres import connect
from server.db.retries import retried
from server.exams.quotas import ROW
from tests.postgres import Cluster
from tests.unit.server_databases import KINDS, either_database

database = pytest.fixture(params=KINDS)(either_database)


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
        tables = inspect(tx.connection()).get_table_names()
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
                tx.get_one(Account, "ada", with_for_update=LOCKING).created_ms += 1

    threads = [threading.Thread(target=count, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as tx:
        assert tx.get_one(Account, "ada").created_ms == 100


def _level(database: Database, *, durable: bool) -> str:
    with database.write(durable=durable) as tx:
        sqlite = tx.get_bind().dialect.name == "sqlite"
        return str(tx.scalar(text("PRAGMA synchronous" if sqlite else "SHOW synchronous_commit")))


def test_commits_for_receipts_are_synced(database: Database) -> None:
    swift, durable = _level(database, durable=False), _level(database, durable=True)
    assert (swift, durable) in {("1", "2"), ("off", "on")}  # NORMAL and FULL of SQLite's WAL mode
    if durable == "2":
        with database.read() as tx:
            assert tx.scalar(text("PRAGMA journal_mode")) == "wal"


def test_commits_for_receipts_are_synced_whatever_the_database_was_told(postgres: Cluster) -> None:
    url = postgres.database()
    with psycopg.connect(url, autocommit=True) as connection:
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
        connection.execute(f"ALTER ROLE fairlock IN DATABASE {name} SET synchronous_commit = off".encode())
    with psycopg.connect(url) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",)
    database = connect(url)
    # One after the other on the same connection, so that none leaves its level to the next.
    levels = [_level(database, durable=durable) for durable in (True, False, True)]
    database.close()
    assert levels == ["on", "off", "on"]


REVISIONS = ["0001", "0002", "0003", "0004", "0005", "0006", "0007"]


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_earlier_schema_is_brought_up_to_date(database: Database, revision: str) -> None:
    command.upgrade(configuration(database), revision)
    upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_list_of_earlier_schemas_is_whole(database: Database) -> None:
    script = ScriptDirectory.from_config(configuration(database))
    assert sorted(one.revision for one in script.walk_revisions())[:-1] == REVISIONS


def test_servers_that_start_at_once_bring_a_database_up_to_date_in_turns(postgres: Cluster) -> None:
    database = connect(postgres.database())
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with ThreadPoolExecutor(1) as threads:
        with database.engine.begin() as first:
            first.execute(text("SELECT pg_advisory_xact_lock(7020115)"))
            second = threads.submit(upgrade, database)
            while not first.scalar(waiting):
                assert not second.done(), "it did not wait for its turn"
        second.result()
    with database.read() as tx:
        assert "sessions" in inspect(tx.connection()).get_table_names()
    database.close()


def test_what_another_transaction_overtook_is_done_again(postgres: Cluster) -> None:
    """Two requests make the same row: the slower one is undone, runs again, and finds the row."""
    database = connect(postgres.database())
    upgrade(database)
    seen: list[bool] = []

    @retried
    def make() -> None:
        with database.write(durable=True) as tx:
            seen.append(tx.get(Account, "ada") is not None)
            if seen[-1]:
                return
            with database.write() as faster:
                faster.add(_account("ada"))
            tx.add(_account("ada"))

    make()
    assert seen == [False, True]
    database.close()


def test_deadlock_is_overtaken_too(postgres: Cluster) -> None:
    database = connect(postgres.database())
    upgrade(database)
    with database.write() as tx:
        tx.add_all([_account("ada"), _account("bob")])
    both = threading.Barrier(2)

    def cross(names: tuple[str, str]) -> str:
        try:
            with database.write() as tx:
                tx.get_one(Account, names[0], with_for_update=LOCKING)
                both.wait(30)
                tx.get_one(Account, names[1], with_for_update=LOCKING)
        except Overtaken:
            return "overtaken"
        return "through"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(cross, [("ada", "bob"), ("bob", "ada")])) == ["overtaken", "through"]
    database.close()


def test_who_overtakes_for_ever_is_told_to_the_caller() -> None:
    times: list[int] = []

    @retried
    def never() -> None:
        times.append(1)
        raise Overtaken("again")

    with pytest.raises(Overtaken):
        never()
    assert len(times) == 4


def test_database_that_is_not_there_is_a_reason_to_wait(tmp_path: Path) -> None:
    database = connect(f"postgresql://fairlock@/none?host={tmp_path}")
    with pytest.raises(Unanswering, match="does not answer"), database.write() as tx:
        tx.get(Account, "ada")
    with pytest.raises(UserFacing, match="can't be used"):
        upgrade(database)
    database.close()


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "test.db").write_bytes(b"no database" * 1_000)
    database = sqlite.connect(tmp_path / "test.db")
    with pytest.raises(UserFacing, match=r"can't be used \(file is not a database\).*from the backup"):
        upgrade(database)
    database.close()


def test_a_user_who_may_make_no_tables_is_a_sentence(postgres: Cluster) -> None:
    url = postgres.database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    database = connect(url.replace("fairlock@", "guest@"))
    with pytest.raises(UserFacing, match=r"permission denied for schema public.*own the database"):
        upgrade(database)
    database.close()


@pytest.mark.parametrize("url", ["", "mysql://x/y", "no address", "postgresql://u@h:port/db"])
def test_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(UserFacing, match="is not one of PostgreSQL"):
        connect(url)


def test_database_that_was_started_anew_is_met_again(postgres: Cluster) -> None:
    """Its old connections are dead; nobody is told."""
    database = connect(postgres.database())
    upgrade(database)
    with database.read() as tx:
        number = tx.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(postgres.url("postgres")) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [number])
    with database.write() as tx:
        tx.add(_account("ada"))
    database.close()


def test_transaction_that_was_cut_off_is_a_reason_to_wait(postgres: Cluster) -> None:
    """PostgreSQL ends what holds rows and says nothing; the request that did is answered with 503, not 500."""
    database = connect(postgres.database())
    upgrade(database)

    def idle() -> None:
        with database.write() as tx, psycopg.connect(postgres.url("postgres"), autocommit=True) as other:
            number = tx.scalar(text("SELECT pg_backend_pid()"))
            tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
            while other.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [number]).rowcount:
                pass
            tx.get(Account, "ada")

    with pytest.raises(Unanswering, match="does not answer"):
        idle()
    with database.write() as tx:
        tx.add(_account("ada"))
    database.close()

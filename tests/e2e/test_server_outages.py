"""A database that does not answer for a while: that is nobody's silence, and nobody's way out of a freeze."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from app.clock import ManualClock
from server import settings, setup
from tests.e2e.server_rig import PASSWORD, Application, Institution, enter, knock, timed


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def http(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setattr("server.db.sqlite.BUSY_S", 0)  # else each refusal takes ten seconds
    setup.prepare(tmp_path, admin="ada", password=PASSWORD)
    with timed(tmp_path, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def app(http: httpx.Client) -> Application:
    institution = Institution(http)
    institution.sign_in()
    institution.exam("outage")
    app = Application(http, institution.invite("outage"))
    app.join()
    app.bind()
    return app


@contextmanager
def _outage(data: Path) -> Iterator[None]:
    """Let nobody write, as a disk or a database does that is away."""
    with closing(sqlite3.connect(data / settings.DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def _incidents(http: httpx.Client, app: Application) -> list[str]:
    found = http.get(f"/api/v1/sessions/{app.session}").json()["server_incidents"]
    return [one["kind"] for one in found]


def test_an_outage_of_the_database_freezes_nobody(
    http: httpx.Client, app: Application, clock: ManualClock, tmp_path: Path
) -> None:
    cookie = enter(http, app.bound)
    with _outage(tmp_path):
        for _ in range(6):
            clock.advance(2)
            assert app.try_beat(cookie).status_code == 503
    clock.advance(1)
    assert knock(http, cookie).status_code == 204
    assert not app.beat(cookie).frozen
    assert _incidents(http, app) == []
    clock.advance(11)
    assert knock(http, cookie).status_code == 403
    assert _incidents(http, app) == ["frozen"]


def test_who_was_frozen_before_an_outage_is_frozen_after_it(
    http: httpx.Client, app: Application, clock: ManualClock, tmp_path: Path
) -> None:
    cookie = enter(http, app.bound)
    clock.advance(11)
    assert knock(http, cookie).status_code == 403
    with _outage(tmp_path):
        assert app.try_beat(cookie).status_code == 503
    assert knock(http, cookie).status_code == 403
    assert not app.beat(cookie).frozen
    assert _incidents(http, app) == ["frozen", "thawed"]

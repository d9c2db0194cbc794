"""A database that does not answer for a while: that is nobody's silence, and nobody's way out of a freeze."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.clock import ManualClock
from app.contract.errors import Retryable
from app.recorder.client import ServerClient
from app.recorder.joining import JoinedSession, join, save
from server import settings, setup
from tests.e2e.server_rig import PASSWORD, Application, enter, knock, opened, timed


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
    return opened(http, "outage").seat("outage")


@contextmanager
def _outage(data: Path) -> Iterator[None]:
    """Let nobody write, as a disk or a database does that is away."""
    with closing(sqlite3.connect(data / settings.DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def _restarted(app: Application) -> Application:
    """Return the same candidate's application, started anew after it died."""
    again = Application(app.http, app.link)
    again.joined, again.session, again.policy, again.head = app.joined, app.session, app.policy, app.head
    return again


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


def test_who_starts_anew_around_an_outage_waits_and_is_accused_of_nothing(
    http: httpx.Client, app: Application, clock: ManualClock, tmp_path: Path
) -> None:
    """The program before may have gone on where nobody could write it down, so the server listens for it first."""
    clock.advance(11)
    again = _restarted(app)
    with _outage(tmp_path):
        assert again.try_bind().status_code == 503
    for left_s in (11, 6, 1):
        answer = again.try_bind()
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(left_s))
        clock.advance(min(left_s, 5))
    again.bind()
    assert _incidents(http, again) == []


def test_a_program_that_is_heard_after_an_outage_keeps_the_session(
    http: httpx.Client, app: Application, clock: ManualClock, tmp_path: Path
) -> None:
    with _outage(tmp_path):
        clock.advance(11)
        assert app.try_beat(None).status_code == 503
    again = _restarted(app)
    assert again.try_bind().status_code == 503
    app.beat(None)
    assert again.try_bind().status_code == 409
    assert _incidents(http, app) == ["second_program"]


def test_the_application_itself_waits_as_long_as_the_server_says(
    http: httpx.Client, clock: ManualClock, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    institution = opened(http, "anew")
    link, home = institution.invite("anew"), tmp_path_factory.mktemp("home")

    def started(program: bytes) -> JoinedSession:
        with closing(ServerClient(link.server)) as client:
            return join(client, link, program_token=program, home=home, clock=clock)

    first, began = started(b"1" * 32), clock.now()
    save(replace(first.saved, origin_mono_ns=began.mono_ns, origin_utc_ms=began.utc_ms), first.folder)
    clock.advance(11)
    with _outage(tmp_path), pytest.raises(Retryable):
        started(b"2" * 32)
    assert started(b"3" * 32).epoch == 1
    assert http.get(f"/api/v1/sessions/{first.session}").json()["server_incidents"] == []

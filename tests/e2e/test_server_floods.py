"""Floods: who has no business here, or too much of it, does not keep the others out."""

import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract import wire
from app.contract.incidents import Track
from server import setup
from server.accounts import passwords, turns
from server.exams import blocks
from server.load import Load
from server.verification import binding, freezing
from server.web import draining
from tests.e2e.server_rig import CSRF, PASSWORD, Application, Institution, enter, knock, launch, opened, timed

LOGINS_S = 60
"""How long sixty clients may take to ask, each with certificates of its own to read."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "data"
    setup.prepare(folder, admin="ada", password=PASSWORD)
    return folder


@pytest.fixture
def http(tmp_path: Path, prepared: Path) -> Iterator[httpx.Client]:
    data = tmp_path / "data"
    shutil.copytree(prepared, data)
    with timed(data, ManualClock()) as url, httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def institution(http: httpx.Client) -> Institution:
    return opened(http, "flood")


def _bound(http: httpx.Client, institution: Institution) -> Application:
    return institution.seat("flood")


def _hang(http: httpx.Client, path: str, headers: dict[str, str]) -> socket.socket:
    """Begin an upload, send one byte of it and no more."""
    assert http.base_url.port is not None
    connection = socket.create_connection((http.base_url.host, http.base_url.port), timeout=20)
    lines = [f"PUT {path} HTTP/1.1", "Host: flood", "Content-Length: 1000", *(f"{k}: {v}" for k, v in headers.items())]
    connection.sendall("\r\n".join([*lines, "", "!"]).encode())
    return connection


def _hang_own(app: Application) -> socket.socket:
    record, _data = app.seal(Track.SCREEN)
    path = f"/api/v1/sessions/{app.session}/segments/0/screen/{app.sequences[Track.SCREEN] - 1}"
    return _hang(app.http, path, app.bearer | {wire.RECORD_HEADER: record})


def _status(connection: socket.socket) -> int:
    return int(connection.recv(4096).split(b" ")[1])


def test_strangers_do_not_stop_the_uploads(http: httpx.Client, institution: Institution) -> None:
    app = _bound(http, institution)
    path = f"/api/v1/sessions/{app.session}/segments/0/camera/0"
    junk = {"Authorization": "Bearer junk", wire.RECORD_HEADER: "junk"}
    with ExitStack() as hanging:
        for _ in range(Load.LIMIT):
            hanging.enter_context(_hang(http, path, junk))
        for _ in range(10):
            # Gives the server the time to take all of them up.
            app.beat(None)
        answer = app.put(*app.seal(Track.CAMERA))
        assert answer.status_code == 201, answer.text


def test_stranger_who_sends_nothing_is_answered_all_the_same(
    http: httpx.Client, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "DRAIN_S", 0.1)
    path = f"/api/v1/sessions/{_bound(http, institution).session}/segments/0/camera/0"
    with _hang(http, path, {"Authorization": "Bearer junk", wire.RECORD_HEADER: "junk"}) as connection:
        assert _status(connection) == 401


def test_session_holds_only_a_few_places(
    http: httpx.Client, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Load, "LIMIT", 10)
    greedy, other = _bound(http, institution), _bound(http, institution)
    with ExitStack() as hanging:
        for _ in range(Load.SESSION_LIMIT):
            hanging.enter_context(_hang_own(greedy))
        # The load is what tells that all of them have been let in.
        while greedy.beat(None).health < Load.SESSION_LIMIT:
            pass
        answers = [greedy.put(*greedy.seal(Track.CAMERA)) for _ in range(2)]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "E-BUSY")}
        assert answers[0].headers["Retry-After"] == "2"
        assert other.put(*other.seal(Track.CAMERA)).status_code == 201


def test_upload_that_stands_still_is_given_up(
    http: httpx.Client, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "DRAIN_S", 0.1)
    app = _bound(http, institution)
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "GAP_S", 0.1)
        with _hang_own(app) as connection:
            assert _status(connection) == 503
    assert app.put(*app.seal(Track.CAMERA)).status_code == 201
    assert app.beat(None).health == 0


def test_upload_that_creeps_is_given_up(
    http: httpx.Client, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "DRAIN_S", 0.1)
    monkeypatch.setattr(blocks, "LONGEST_S", -1.0)
    with _hang_own(_bound(http, institution)) as connection:
        assert _status(connection) == 503


def test_places_are_counted_by_session() -> None:
    load = Load()
    names = [f"session-{number}" for number in range(Load.LIMIT // Load.SESSION_LIMIT)]
    assert all(load.enter(name) for name in names for _ in range(Load.SESSION_LIMIT))
    assert load.health == 10
    assert not load.enter("one more")
    load.leave(names[0])
    assert load.enter("one more")
    assert not load.enter(names[0])


def _login(http: httpx.Client, number: int) -> int:
    body = {"name": f"nobody-{number}", "password": "a guess"}
    url = f"{http.base_url}/api/v1/login"
    return httpx.post(url, json=body, headers=CSRF, trust_env=False, timeout=2 * LOGINS_S).status_code


def test_flood_of_logins_does_not_stop_the_gate(
    http: httpx.Client, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _bound(http, institution)
    cookie = enter(http, app.bound)
    go_on = threading.Event()

    def slow(_account: object, _password: str) -> bool:
        return not go_on.wait(2 * LOGINS_S)

    monkeypatch.setattr(passwords, "matches", slow)
    kept = turns.AT_A_TIME + turns.WAITING
    with ThreadPoolExecutor(60) as pool:
        logins = [pool.submit(_login, http, number) for number in range(60)]
        try:
            sent_away = [done.result() for done in islice(as_completed(logins, timeout=LOGINS_S), 60 - kept)]
            assert set(sent_away) == {429}
            assert knock(http, cookie).status_code == 204
            assert not app.beat(cookie).frozen
        finally:
            go_on.set()
    assert sorted(login.result() for login in logins) == [401] * kept + [429] * (60 - kept)


def test_password_is_hashed_before_the_database_is_held(
    http: httpx.Client, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _bound(http, institution)
    hashed = passwords.hashed

    def beat_meanwhile(password: str) -> str:
        assert not app.beat(None).frozen
        return hashed(password)

    monkeypatch.setattr(passwords, "hashed", beat_meanwhile)
    institution.call("POST", "/api/v1/accounts", {"name": "bob", "password": "another password", "role": "examiner"})


def test_session_has_only_so_many_epochs(
    http: httpx.Client, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "MAX_EPOCHS", 2)
    app = _bound(http, institution)
    for status in (200, 403):
        app.signing = Ed25519PrivateKey.generate()
        assert app.try_bind().status_code == status


def test_incidents_are_limited_and_one_kind_hides_no_other(
    http: httpx.Client, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezing, "OF_A_KIND", 2)
    app = _bound(http, institution)
    for _ in range(4):
        app.put(*app.seal(Track.CAMERA, advance=False))
    other = Application(http, app.link)
    other.joined, other.session, other.policy = app.joined, app.session, app.policy
    assert other.try_bind().status_code == 409
    detail = institution.call("GET", f"/api/v1/sessions/{app.session}")
    kinds = [one["kind"] for one in detail["server_incidents"]]
    assert kinds == ["conflicting_segment"] * 2 + ["second_program"]


def test_heartbeat_with_a_head_that_is_no_digest_is_refused(http: httpx.Client, institution: Institution) -> None:
    app = _bound(http, institution)
    for head in (b"", b"x" * 33, b"x" * 300_000):
        app.head = head
        assert app.try_beat(None).json()["code"] == "E-FORMAT"


def test_session_stores_only_so_much(prepared: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(prepared, data)
    command = ["serve", "--data", str(data), "--port", "0", "--session-limit", "0.0002"]
    process = launch(command, log=tmp_path / "server.log")
    try:
        with httpx.Client(base_url=process.url, trust_env=False, timeout=20) as http:
            institution = opened(http, "flood")
            app = _bound(http, institution)
            kept = [app.seal(Track.CAMERA, size=90_000) for _ in range(2)]
            too_much = app.seal(Track.CAMERA, size=90_000)
            assert [app.put(*one).status_code for one in kept] == [201, 201]
            answer = app.put(*too_much)
            assert (answer.status_code, answer.json()["code"]) == (413, "E-STORAGE")
            assert app.put(*kept[0]).status_code == 200
    finally:
        process.stop()

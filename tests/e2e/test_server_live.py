"""Live view through a real server: who may push, who may watch, what is seen, and when it is over."""

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract import live
from app.contract.incidents import Track
from server import setup
from server.live import answer as answers
from server.live import hub as hubs
from server.live import intake
from server.verification import access
from tests.e2e.live_rig import pieces_of, push, pushed, watching
from tests.e2e.server_rig import CSRF, END_S, PASSWORD, Application, Institution, opened, running, timed


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "data"
    setup.prepare(folder, admin="ada", password=PASSWORD)
    return folder


@pytest.fixture
def data(tmp_path: Path, prepared: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "data"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def http(data: Path, clock: ManualClock) -> Iterator[httpx.Client]:
    with timed(data, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def institution(http: httpx.Client) -> Institution:
    return opened(http, "live")


@pytest.fixture
def app(institution: Institution) -> Application:
    return institution.seat("live")


def _refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_who_watches_sees_what_is_pushed_from_the_segments_beginning(
    http: httpx.Client, institution: Institution, app: Application
) -> None:
    first = pieces_of(*app.seal(Track.CAMERA))
    pushed(app, first[:3])
    with watching(http, app.session) as seen:
        assert seen.answer.headers["Content-Type"] == "application/octet-stream"
        assert seen.answer.headers["Cache-Control"] == "no-store"
        assert seen.answer.headers["X-Accel-Buffering"] == "no"
        assert seen.take(3) == first[:3]
        pushed(app, first[3:])
        sound = pieces_of(*app.seal(Track.MICROPHONE))
        pushed(app, sound)
        assert seen.take(len(first) - 3 + len(sound)) == [*first[3:], *sound]
        # Twice within ten minutes is one entry, as with the other views.
        with watching(http, app.session) as again:
            assert again.take(len(first)) == first
    audit = institution.call("GET", "/api/v1/audit")["entries"]
    noted = [(entry["account"], entry["subject"]) for entry in audit if entry["action"] == "live.watched"]
    assert noted == [("ada", app.session)]


def test_only_the_sessions_own_program_pushes(http: httpx.Client, institution: Institution, app: Application) -> None:
    path, body = f"/api/v1/sessions/{app.session}/live", live.SIGN_OF_LIFE
    other = institution.seat("live")
    pushed(app, [])
    for headers in (other.bearer, {"Authorization": "Bearer invented"}, CSRF):  # the last one is an examiner's
        assert _refused(http.post(path, content=body, headers=headers)) == (401, "E-NOT-SIGNED-IN")
    unknown = http.post("/api/v1/sessions/nobodys-session/live", content=body, headers=app.bearer)
    assert _refused(unknown) == (404, "E-SESSION-UNKNOWN")


def test_only_examiners_watch(http: httpx.Client, app: Application) -> None:
    path = f"/api/v1/sessions/{app.session}/live"
    with httpx.Client(base_url=http.base_url, trust_env=False, timeout=30) as stranger:
        for headers in ({}, app.bearer, {"Cookie": "fairlock_examiner=invented"}):
            assert _refused(stranger.get(path, headers=headers)) == (401, "E-NOT-SIGNED-IN")
    assert _refused(http.get("/api/v1/sessions/nobodys-session/live")) == (404, "E-SESSION-UNKNOWN")


def test_both_ways_are_documented(http: httpx.Client) -> None:
    described = http.get("/api/openapi.json").json()["paths"]["/api/v1/sessions/{session}/live"]
    assert set(described) == {"get", "post"}
    assert "application/octet-stream" in described["post"]["requestBody"]["content"]
    assert {"204", "4XX"} <= set(described["post"]["responses"])
    assert "application/octet-stream" in described["get"]["responses"]["200"]["content"]


def test_what_is_no_piece_or_too_much_is_refused(app: Application) -> None:
    assert _refused(push(app, b"this is no piece")) == (422, "E-FORMAT")
    assert _refused(push(app, live.SIGN_OF_LIFE * (live.MAX_PIECES + 1))) == (422, "E-FORMAT")
    assert _refused(push(app, bytes(live.MAX_PUSH + 1))) == (413, "E-FORMAT")
    pushed(app, [])


def test_a_full_hub_says_when_to_come_again(
    http: httpx.Client, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "ROOMS", 0)
    answer = push(app, [])
    assert (*_refused(answer), answer.headers["Retry-After"]) == (503, "E-BUSY", "2")
    assert _refused(http.get(f"/api/v1/sessions/{app.session}/live")) == (503, "E-BUSY")


def test_too_much_on_its_way_at_a_time_is_refused(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "HELD_BYTES", 10_000)
    record, data = app.seal(Track.CAMERA, size=20_000)
    assert _refused(push(app, pieces_of(record, data))) == (503, "E-BUSY")
    pushed(app, pieces_of(record, data)[:3])


def test_a_push_that_hangs_is_given_up(http: httpx.Client, app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"POST /api/v1/sessions/{app.session}/live HTTP/1.1", "Host: live", "Content-Length: 1000"]
    lines += [f"{name}: {value}" for name, value in app.bearer.items()]
    with (
        monkeypatch.context() as patch,
        socket.create_connection((http.base_url.host, http.base_url.port or 0), timeout=END_S) as hanging,
    ):
        patch.setattr(intake, "LONGEST_S", 0.1)
        hanging.sendall("\r\n".join([*lines, "", "!"]).encode())
        assert hanging.recv(4096).split(b" ")[1] == b"503"
    pushed(app, [])


def test_the_token_is_looked_up_every_ten_seconds_and_when_it_may_have_changed(
    app: Application, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, admitted = [], access.admitted

    def counted(found: access.G | None, token: str) -> access.G:
        asked.append(token)
        return admitted(found, token)

    monkeypatch.setattr(access, "admitted", counted)
    for _ in range(3):
        pushed(app, [])
        clock.advance(3)
    assert len(asked) == 1
    clock.advance(2)
    pushed(app, [])
    assert len(asked) == 2
    before, app.signing = app.bearer, Ed25519PrivateKey.generate()
    app.bind()
    stale = app.http.post(f"/api/v1/sessions/{app.session}/live", content=b"", headers=before)
    assert _refused(stale) == (401, "E-NOT-SIGNED-IN")
    pushed(app, [])


def test_the_end_of_the_session_ends_the_watching(http: httpx.Client, app: Application) -> None:
    record, data = app.seal(Track.CAMERA)
    pushed(app, pieces_of(record, data))
    assert app.put(record, data).status_code == 201
    with watching(http, app.session) as seen:
        assert app.end(app.end_token()).completion is not None
        # What waits is not handed over after the end; what was sent before may have been read or not.
        assert seen.rest() in ([], pieces_of(record, data))
    assert _refused(push(app, pieces_of(record, data))) == (409, "E-SESSION-ENDED")
    assert _refused(http.get(f"/api/v1/sessions/{app.session}/live")) == (409, "E-SESSION-ENDED")


def test_signs_of_life_come_while_nothing_else_does(
    http: httpx.Client, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "SIGN_S", 0.05)
    with watching(http, app.session) as seen:
        seen.sign()
        seen.sign()
        first = pieces_of(*app.seal(Track.SCREEN))
        pushed(app, first)
        assert seen.take(len(first)) == first


def test_who_signed_out_watches_no_longer_than_a_minute(
    http: httpx.Client, app: Application, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "SIGN_S", 0.05)
    with httpx.Client(base_url=http.base_url, trust_env=False, timeout=30) as other:
        Institution(other).call("POST", "/api/v1/login", {"name": "ada", "password": PASSWORD})
        with watching(http, app.session) as mine, watching(other, app.session) as theirs:
            Institution(http).call("POST", "/api/v1/logout")
            clock.advance(59)
            mine.sign()
            clock.advance(2)
            assert mine.rest() == []
            theirs.sign()


def test_who_does_not_read_is_cut_off(http: httpx.Client, app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "GRACE_S", 0.1)
    monkeypatch.setattr(hubs, "ROOM_WATCHERS", 1)
    record, data = app.seal(Track.SCREEN, size=900_000)
    with watching(http, app.session):
        # More than the connection's own buffers take, and what may wait besides.
        for piece in pieces_of(record, data * 40, size=900_000):
            pushed(app, [piece])
        # Their place is free once their connection is closed, though they never read.
        deadline = time.monotonic() + END_S
        while (again := _status(http, app.session)) == 503:
            assert time.monotonic() < deadline
    assert again == 200


def _status(http: httpx.Client, session: str) -> int:
    with http.stream("GET", f"/api/v1/sessions/{session}/live") as answer:
        return answer.status_code


def test_who_hung_up_leaves_their_place(http: httpx.Client, app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "ROOM_WATCHERS", 1)
    for _ in range(3):
        deadline = time.monotonic() + END_S
        while (status := _status(http, app.session)) == 503:
            assert time.monotonic() < deadline
        assert status == 200


def test_a_server_that_ends_does_not_wait_for_who_watches(data: Path) -> None:
    with running(data) as process, httpx.Client(base_url=process.url, trust_env=False, timeout=30) as http:
        app = opened(http, "live").seat("live")
        with watching(http, app.session) as seen:
            process.popen.terminate()
            assert seen.rest() == []
            assert process.popen.wait(END_S) is not None
    log = (data.parent / "server.log").read_text()
    assert "Shutting down" in log
    assert "graceful shutdown exceeded" not in log

"""Freezing: the pure rule, and a real server whose clock stands still until the test moves it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.actions import Action
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.session import SessionState
from server import setup
from server.verification.freezing import OVER, is_frozen
from tests.e2e.server_rig import PASSWORD, Application, Institution, cookie_of, enter, knock, opened, timed


@pytest.mark.parametrize(
    ("silent_ms", "state", "frozen"),
    [
        (0, SessionState.RUNNING, False),
        (10_000, SessionState.RUNNING, False),
        (10_001, SessionState.RUNNING, True),
        (10_001, SessionState.PAUSED, True),
        (10_001, SessionState.JOINING, True),
        (-5_000, SessionState.RUNNING, False),
    ],
)
def test_rule(silent_ms: int, state: SessionState, frozen: bool) -> None:
    assert is_frozen(1_000_000, 1_000_000 - silent_ms, state) is frozen


def test_nobody_is_frozen_before_entering_or_after_the_end() -> None:
    assert not is_frozen(1_000_000, None, SessionState.RUNNING)
    assert not any(is_frozen(1_000_000, 0, state) for state in OVER)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "data"
    setup.prepare(folder, admin="ada", password=PASSWORD)
    return folder


@pytest.fixture
def http(tmp_path: Path, prepared: Path, clock: ManualClock) -> Iterator[httpx.Client]:
    shutil.copytree(prepared, tmp_path / "data")
    with timed(tmp_path / "data", clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def institution(http: httpx.Client) -> Institution:
    return opened(http, "freezing")


@pytest.fixture
def app(http: httpx.Client, institution: Institution) -> Application:
    return institution.seat("freezing")


def _incidents(institution: Institution, app: Application) -> list[tuple[str, int]]:
    found = institution.call("GET", f"/api/v1/sessions/{app.session}/manifest")["server_incidents"]
    return [(one["kind"], one["at_ms"]) for one in found]


def test_silence_freezes_and_a_confirmation_thaws(
    http: httpx.Client, institution: Institution, app: Application, clock: ManualClock
) -> None:
    cookie = enter(http, app.bound)
    entered = clock.now().utc_ms
    clock.advance(9)
    assert not app.beat(cookie).frozen
    clock.advance(10)
    assert knock(http, cookie).status_code == 204
    clock.advance(1)
    assert knock(http, cookie).status_code == 403
    assert knock(http, cookie).status_code == 403
    clock.advance(60)
    assert not app.beat(cookie).frozen
    assert knock(http, cookie).status_code == 204
    assert _incidents(institution, app) == [("frozen", entered + 19_000), ("thawed", entered + 80_000)]


def test_heartbeats_that_confirm_no_cookie_freeze(http: httpx.Client, app: Application, clock: ManualClock) -> None:
    enter(http, app.bound)
    for cookie in (None, "invented"):
        clock.advance(6)
        frozen = app.beat(cookie).frozen
    assert frozen


def test_freeze_that_nobody_asked_about_is_in_the_evidence(
    http: httpx.Client, institution: Institution, app: Application, clock: ManualClock
) -> None:
    enter(http, app.bound)
    entered = clock.now().utc_ms
    clock.advance(3_600)
    row = institution.call("GET", "/api/v1/sessions")["sessions"][0]
    assert row["frozen"]
    assert _incidents(institution, app) == [("frozen", entered + 10_000)]
    assert _incidents(institution, app) == [("frozen", entered + 10_000)]


def test_token_the_browser_holds_counts_however_long_the_page_rests(
    http: httpx.Client, app: Application, clock: ManualClock
) -> None:
    """Of a hundred answers the first arrived last: the browser holds the oldest token and confirms it for an hour."""
    held = cookie_of(knock(http, enter(http, app.bound)))
    for _ in range(100):
        knock(http, held)
    for _ in range(120):
        clock.advance(3)
        assert not app.beat(held).frozen
    knock(http, held)
    assert knock(http, held).status_code == 204


def test_token_the_browser_holds_counts_after_a_while_off_the_network(
    http: httpx.Client, app: Application, clock: ManualClock
) -> None:
    """Answers that overtook each other left the browser with a token that is not the newest; nobody confirmed it."""
    entered = enter(http, app.bound)
    held, *_others, newest = [cookie_of(knock(http, entered)) for _ in range(5)]
    clock.advance(40)
    app.beat(newest)
    assert knock(http, newest).status_code == 204
    assert knock(http, held).status_code == 204


def test_outage_of_the_server_is_not_held_against_the_candidate(
    prepared: Path, tmp_path: Path, clock: ManualClock
) -> None:
    data = tmp_path / "outage"
    shutil.copytree(prepared, data)
    with timed(data, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        app = opened(http, "outage").seat("outage")
        cookie = enter(http, app.bound)
    clock.advance(300)
    with timed(data, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        assert knock(http, cookie).status_code == 204
        clock.advance(11)
        assert knock(http, cookie).status_code == 403


def test_token_that_nobody_holds_any_more_runs_out(http: httpx.Client, app: Application, clock: ManualClock) -> None:
    stolen = cookie = enter(http, app.bound)
    for _ in range(40):
        clock.advance(2)
        cookie = cookie_of(knock(http, cookie))
        app.beat(cookie)
    assert knock(http, stolen).status_code == 401
    assert knock(http, cookie).status_code == 204


def test_examiner_thaws(http: httpx.Client, institution: Institution, app: Application, clock: ManualClock) -> None:
    cookie = enter(http, app.bound)
    clock.advance(11)
    assert knock(http, cookie).status_code == 403
    institution.call("POST", f"/api/v1/sessions/{app.session}/actions", {"kind": "thaw"})
    assert knock(http, cookie).status_code == 204


def test_second_program_after_the_limit_opens_the_next_epoch(
    http: httpx.Client, institution: Institution, app: Application, clock: ManualClock
) -> None:
    cookie = enter(http, app.bound)
    app.beat(cookie)
    again = Application(http, app.link)
    again.joined, again.session, again.policy, again.head = app.joined, app.session, app.policy, app.head
    clock.advance(10)
    assert again.try_bind().json()["code"] == "E-SECOND-PROGRAM"
    clock.advance(1)
    institution.call("POST", f"/api/v1/sessions/{app.session}/actions", {"kind": "message"})
    again.bind()
    assert knock(http, cookie).status_code == 401
    answer = again.beat(None)
    assert (answer.frozen, len(answer.actions)) == (False, 1)
    assert app.try_beat(cookie).status_code == 401
    assert knock(http, enter(http, again.bound)).status_code == 204
    kinds = [kind for kind, _at in _incidents(institution, app)]
    assert sorted(kinds) == ["frozen", "second_program", "thawed"]


def test_pause_that_still_holds_reaches_the_next_program(
    institution: Institution, app: Application, clock: ManualClock
) -> None:
    def act(kind: str) -> str:
        clock.advance(1)
        return str(institution.call("POST", f"/api/v1/sessions/{app.session}/actions", {"kind": kind})["id"])

    def restarted() -> list[str]:
        clock.advance(11)
        app.signing, app.program = Ed25519PrivateKey.generate(), os.urandom(32)
        app.bind()
        return [jws.unverified(Action, token).id for token in app.beat(None).actions]

    def heard() -> None:
        clock.advance(1)
        app.beat(None)

    act("pause")
    paused = act("pause")
    act("message")
    heard()
    assert restarted() == [paused]
    act("resume")
    heard()
    assert restarted() == []


def test_program_that_came_to_its_end_leaves_at_once(app: Application, clock: ManualClock) -> None:
    app.beat(None, SessionState.ENDED)
    again = Application(app.http, app.link)
    again.joined, again.session, again.policy = app.joined, app.session, app.policy
    assert again.try_bind().status_code == 200


def test_invite_and_policy_run_out(http: httpx.Client, institution: Institution, clock: ManualClock) -> None:
    soon = clock.now().utc_ms + 60_000
    body = {"name": "Late", "expires_ms": soon}
    invite = institution.call("POST", "/api/v1/exams/freezing/candidates", body)["invite"]
    institution.exam("short", expires_ms=soon)
    other = institution.invite("short").invite
    clock.advance(61)
    for exam, value, code in (("freezing", invite, "E-INVITE-EXPIRED"), ("short", other, "E-POLICY-EXPIRED")):
        answer = http.post("/api/v1/join", json={"exam": exam, "invite": value, "client": "test"})
        assert (answer.status_code, answer.json()["code"]) == (410, code)


def test_gate_shuts_when_the_policy_runs_out_and_binding_does_not(
    http: httpx.Client, institution: Institution, clock: ManualClock
) -> None:
    institution.exam("hour", expires_ms=clock.now().utc_ms + 60_000)
    app = institution.seat("hour")
    cookie = enter(http, app.bound)
    clock.advance(59)
    app.beat(cookie)
    assert knock(http, cookie).status_code == 204
    clock.advance(1)
    app.beat(cookie)
    assert knock(http, cookie).status_code == 401
    app.signing = Ed25519PrivateKey.generate()
    ticket = httpx.URL(app.bind().entry_url).params["ticket"]
    assert http.get("/gate/enter", params={"ticket": ticket}, headers={"Cookie": ""}).status_code == 401
    assert app.put(*app.seal(Track.CAMERA, epoch=1)).status_code == 201


def test_guessing_passwords_is_slowed_down(http: httpx.Client, institution: Institution, clock: ManualClock) -> None:
    def attempt(password: str) -> httpx.Response:
        return http.post("/api/v1/login", json={"name": "ada", "password": password}, headers={"X-Fairlock": "1"})

    assert [attempt("wrong").status_code for _ in range(5)] == [401] * 5
    blocked = attempt(PASSWORD)
    assert (blocked.status_code, blocked.json()["code"], blocked.headers["Retry-After"]) == (429, "E-BUSY", "2")
    clock.advance(2)
    assert attempt(PASSWORD).status_code == 200


def test_login_runs_out(http: httpx.Client, institution: Institution, clock: ManualClock) -> None:
    assert http.get("/api/v1/me").json() == {"name": "ada", "role": "admin"}
    clock.advance(12 * 3_600 + 1)
    assert http.get("/api/v1/me").status_code == 401


def test_epoch_of_a_later_program_signs_what_the_earlier_left(http: httpx.Client, app: Application) -> None:
    record, data = app.seal(Track.CAMERA, advance=False)
    app.signing = Ed25519PrivateKey.generate()
    app.bind()
    recovered, recovered_data = app.seal(Track.CAMERA, epoch=0)
    assert app.put(recovered, recovered_data).status_code == 201
    assert app.put(record, data).status_code == 409

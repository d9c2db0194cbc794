"""Accounts, keys and the registration of exams over a real connection."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.clock import ManualClock
from app.contract import canonical, schema
from app.contract.policy import Server
from app.contract.sealing.keys import protect
from tests.e2e.server_rig import CSRF, PASSWORD, Application, Institution, prepare, timed


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("server") / "data"
    prepare(data)
    with timed(data, ManualClock()) as url:
        yield url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def institution(http: httpx.Client) -> Institution:
    institution = Institution(http)
    institution.sign_in()
    return institution


@pytest.fixture
def examiner(institution: Institution, url: str) -> Iterator[httpx.Client]:
    body = {"name": "bob", "password": "another password", "role": "examiner"}
    institution.http.post("/api/v1/accounts", json=body, headers=CSRF)
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        answer = client.post("/api/v1/login", json={"name": "bob", "password": "another password"}, headers=CSRF)
        assert answer.json() == {"name": "bob", "role": "examiner"}
        yield client


def _refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_login_cookie_is_out_of_reach_of_scripts_and_other_sites(http: httpx.Client) -> None:
    answer = http.post("/api/v1/login", json={"name": "ada", "password": PASSWORD}, headers=CSRF)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_changes_need_the_header_that_other_sites_can_not_send(institution: Institution) -> None:
    login = {"name": "ada", "password": PASSWORD}
    _refused(institution.http.post("/api/v1/login", json=login), 403, "E-NOT-ALLOWED")
    exam = {"policy": institution.policy("csrf")}
    _refused(institution.http.post("/api/v1/exams", json=exam), 403, "E-NOT-ALLOWED")
    _refused(institution.http.post("/api/v1/logout"), 403, "E-NOT-ALLOWED")


def test_unknown_account_and_wrong_password_answer_alike(http: httpx.Client) -> None:
    answers = [
        http.post("/api/v1/login", json={"name": name, "password": "wrong password"}, headers=CSRF)
        for name in ("ada", "nobody")
    ]
    assert answers[0].content == answers[1].content
    _refused(answers[0], 401, "E-NOT-SIGNED-IN")


def test_logout_ends_the_login(institution: Institution) -> None:
    cookie = institution.http.cookies["fairlock_examiner"]
    assert institution.http.post("/api/v1/logout", headers=CSRF).status_code == 204
    answer = institution.http.get("/api/v1/me", headers={"Cookie": f"fairlock_examiner={cookie}"})
    _refused(answer, 401, "E-NOT-SIGNED-IN")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/accounts", {"name": "eve", "password": "long enough", "role": "admin"}),
        ("GET", "/api/v1/accounts", None),
        ("POST", "/api/v1/institution", {"name": "Eve", "public": "A" * 87}),
    ],
)
def test_examiner_may_not_do_what_administrators_do(examiner: httpx.Client, method: str, path: str, body: Any) -> None:
    _refused(examiner.request(method, path, json=body, headers=CSRF), 403, "E-NOT-ALLOWED")


def test_account_of_the_same_name_is_refused(institution: Institution) -> None:
    body = {"name": "ada", "password": "long enough", "role": "examiner"}
    _refused(institution.http.post("/api/v1/accounts", json=body, headers=CSRF), 409, "E-CONFLICT")


def test_private_keys_are_their_owners_only(institution: Institution, examiner: httpx.Client) -> None:
    key = protect(ec.generate_private_key(ec.SECP256R1()), "my passphrase", rounds=1_000)
    body = {"label": "Ada's key", "key": schema.to_json(key)}
    assert institution.http.post("/api/v1/keys", json=body, headers=CSRF).status_code == 201
    assert institution.http.post("/api/v1/keys", json=body, headers=CSRF).status_code == 200
    _refused(examiner.post("/api/v1/keys", json=body, headers=CSRF), 409, "E-CONFLICT")

    def found(client: httpx.Client) -> Any:
        return next(one for one in client.get("/api/v1/keys").json()["keys"] if one["id"] == key.id)

    assert found(institution.http)["key"] == schema.to_json(key)
    assert found(institution.http)["purpose"] == "evidence"
    assert found(examiner)["key"] is None
    assert found(examiner)["public"] == canonical.b64(key.public)


def test_key_under_a_false_id_is_refused(institution: Institution) -> None:
    key = replace(protect(ec.generate_private_key(ec.SECP256R1()), "my passphrase", rounds=1_000), id="A" * 43)
    body = {"label": "forged", "key": schema.to_json(key)}
    _refused(institution.http.post("/api/v1/keys", json=body, headers=CSRF), 422, "E-FORMAT")


def test_policy_must_be_signed_by_a_registered_key(institution: Institution) -> None:
    stranger = Institution(institution.http)
    answer = institution.http.post("/api/v1/exams", json={"policy": stranger.policy("forged")}, headers=CSRF)
    _refused(answer, 422, "E-RECORD")
    head, body, signature = institution.policy("forged").split(".")
    bent = f"{head}.{body}.{signature[:-4]}AAAA"
    _refused(institution.http.post("/api/v1/exams", json={"policy": bent}, headers=CSRF), 422, "E-RECORD")


def test_policy_for_another_server_is_refused(institution: Institution) -> None:
    other = Server(url="http://127.0.0.1:1", token_key=b"other", receipt_key=bytes(32))
    policy = institution.policy("elsewhere", server=other)
    answer = institution.http.post("/api/v1/exams", json={"policy": policy}, headers=CSRF)
    _refused(answer, 422, "E-RECORD")
    assert "another server" in answer.json()["detail"]


def test_policy_can_change_until_somebody_joined(institution: Institution) -> None:
    institution.exam("draft", title="Draft")
    assert institution.http.post(
        "/api/v1/exams", json={"policy": institution.policy("draft", title="Final")}, headers=CSRF
    ).is_success
    listed = {row["exam"]: row for row in institution.call("GET", "/api/v1/exams")["exams"]}
    assert (listed["draft"]["title"], listed["draft"]["candidates"]) == ("Final", 0)
    Application(institution.http, institution.invite("draft")).join()
    changed = {"policy": institution.policy("draft", title="Too late")}
    _refused(institution.http.post("/api/v1/exams", json=changed, headers=CSRF), 409, "E-CONFLICT")


def test_older_policy_does_not_replace_a_newer_one(institution: Institution) -> None:
    older = {"policy": institution.policy("rollback", issued_ms=1, title="Lax")}
    assert institution.http.post("/api/v1/exams", json=older, headers=CSRF).status_code == 201
    institution.exam("rollback", issued_ms=2, title="Strict")
    _refused(institution.http.post("/api/v1/exams", json=older, headers=CSRF), 409, "E-CONFLICT")
    listed = {row["exam"]: row["title"] for row in institution.call("GET", "/api/v1/exams")["exams"]}
    assert listed["rollback"] == "Strict"


def test_roster_shows_who_joined(institution: Institution) -> None:
    institution.exam("roster")
    app = Application(institution.http, institution.invite("roster", "Ada"))
    institution.invite("roster", "Björn")
    app.join()
    rows = institution.call("GET", "/api/v1/exams/roster/candidates")["candidates"]
    assert [(row["name"], row["session"]) for row in rows] == [("Ada", app.session), ("Björn", None)]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"name": 1.5}', b'{"name": "a", "password": "b", "more": 1}', b'{"name": "\\ud800"}']
)
def test_body_that_is_not_the_documented_one_is_refused(http: httpx.Client, body: bytes) -> None:
    _refused(http.post("/api/v1/login", content=body, headers=CSRF), 422, "E-FORMAT")


def test_large_body_is_refused(http: httpx.Client) -> None:
    _refused(http.post("/api/v1/login", content=b" " * 600_000, headers=CSRF), 413, "E-FORMAT")


@pytest.mark.parametrize("path", ["/api/v1/exams/nothing/policy", "/api/v1/exams/nothing/candidates"])
def test_unknown_exam(institution: Institution, path: str) -> None:
    _refused(institution.http.get(path), 404, "E-EXAM-UNKNOWN")

"""The whole life of a session against a real server process."""

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from app.contract import schema, wire
from app.contract.actions import Action
from app.contract.errors import Outcome
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.keys import key_id, load_ed25519
from app.contract.sealing.records import (
    ACTION_TYPE,
    BINDING_TYPE,
    COMPLETION_TYPE,
    RECEIPT_TYPE,
    Binding,
    Completion,
    Receipt,
)
from app.contract.sealing.verify import INTACT, verify_session
from app.contract.session import SessionState
from server import settings
from server.db.models import Base
from server.storage.base import Place
from tests.e2e.server_rig import Application, Institution, cookie_of, enter, knock, prepare, running
from tests.e2e.server_stores import elsewhere

Sitting = Callable[[str], Application]


@pytest.fixture(scope="module", params=["files", "shared"])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder: all in it (SQLite and files), or rows and segments elsewhere (PostgreSQL and S3)."""
    folder = tmp_path_factory.mktemp("server") / "data"
    prepare(folder, settings=elsewhere(request) if request.param == "shared" else "")
    return folder


@pytest.fixture(scope="module")
def http(data: Path) -> Iterator[httpx.Client]:
    with running(data) as process, httpx.Client(base_url=process.url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def institution(http: httpx.Client) -> Institution:
    institution = Institution(http)
    institution.sign_in()
    return institution


@pytest.fixture
def sitting(http: httpx.Client, institution: Institution) -> Sitting:
    """Make an exam of the given name and an application that is bound to a session of it."""

    def make(exam: str) -> Application:
        institution.exam(exam)
        app = Application(http, institution.invite(exam))
        app.join()
        app.bind()
        return app

    return make


def test_whole_life_of_a_session(
    http: httpx.Client, institution: Institution, sitting: Sitting, data: Path, tmp_path: Path
) -> None:
    app = sitting("life")
    receipt_key = load_ed25519(app.policy.server.receipt_key)
    binding = jws.verify(Binding, app.bound.binding, receipt_key, typ=BINDING_TYPE)
    assert (binding.session, binding.epoch, binding.candidate) == (app.session, 0, "Grace Hopper")

    cookie = enter(http, app.bound)
    assert not app.beat(cookie).frozen
    for track in (Track.CAMERA, Track.SCREEN, Track.CAMERA, Track.JOURNAL):
        record, sealed = app.seal(track)
        answer = app.put(record, sealed)
        assert answer.status_code == 201, answer.text
        stored = schema.from_json(wire.SegmentAnswer, answer.json())
        receipt = jws.verify(Receipt, stored.receipt, receipt_key, typ=RECEIPT_TYPE)
        assert (receipt.record, receipt.size) == (jws.digest(record), len(sealed))
        again = app.put(record, sealed)
        assert (again.status_code, again.json()["receipt"]) == (200, stored.receipt)
    app.beat(cookie, SessionState.FLUSHING)
    token = app.end_token()
    ended = app.end(token)
    assert ended.missing == 0
    assert ended.completion is not None
    assert jws.verify(Completion, ended.completion, receipt_key, typ=COMPLETION_TYPE).end == jws.digest(token)
    assert app.end(token) == ended

    row = institution.call("GET", "/api/v1/sessions?exam=life")["sessions"][0]
    assert (row["segments"], row["ended"], row["complete"], row["state"]) == (4, True, True, "ended")
    download = tmp_path / "export.zip"
    download.write_bytes(http.get(f"/api/v1/sessions/{app.session}/export").content)
    with open_export(download) as export:
        manifest = export.manifest()
        verdict = verify_session(
            manifest, export, pin=key_id(institution.key.public_key()), private_key=institution.examiner
        )
    assert verdict.faults == ()
    assert (verdict.chain, verdict.complete, len(verdict.records)) == (INTACT, True, 4)
    assert schema.from_json(Manifest, institution.call("GET", f"/api/v1/sessions/{app.session}/manifest")) == manifest


def test_segments_in_any_order_make_one_chain(institution: Institution, sitting: Sitting) -> None:
    app = sitting("order")
    sealed = [app.seal(track) for track in (Track.CAMERA, Track.SCREEN, Track.MICROPHONE, Track.CAMERA)]
    token = app.end_token()
    for record, data in (sealed[3], sealed[1]):
        assert app.put(record, data).status_code == 201
    waiting = app.end(token)
    assert (waiting.completion, waiting.missing) == (None, 2)
    partial = institution.call("GET", f"/api/v1/sessions/{app.session}/manifest")
    assert set(partial["records"]) == {sealed[1][0], sealed[3][0]}
    for record, data in (sealed[2], sealed[0]):
        assert app.put(record, data).status_code == 201
    assert app.end(token).completion is not None
    manifest = institution.call("GET", f"/api/v1/sessions/{app.session}/manifest")
    assert manifest["records"] == app.records


def test_second_content_for_one_place_is_refused_and_reported(institution: Institution, sitting: Sitting) -> None:
    app = sitting("conflict")
    record, data = app.seal(Track.CAMERA, advance=False)
    other, other_data = app.seal(Track.CAMERA, advance=False)
    assert app.put(record, data).status_code == 201
    answer = app.put(other, other_data)
    assert (answer.status_code, answer.json()["code"]) == (409, "E-CONFLICT")
    follower, follower_data = app.seal(Track.SCREEN, advance=False)
    answer = app.put(follower, follower_data)
    assert (answer.status_code, answer.json()["code"]) == (409, "E-CONFLICT")
    manifest = institution.call("GET", f"/api/v1/sessions/{app.session}/manifest")
    assert manifest["records"] == [record]
    assert [one["kind"] for one in manifest["server_incidents"]] == ["conflicting_segment"] * 2


def test_of_two_rivals_at_a_time_one_wins_and_its_bytes_stay(http: httpx.Client, sitting: Sitting) -> None:
    app = sitting("race")
    rivals = [app.seal(Track.CAMERA, advance=False, size=300_000) for _ in range(4)]
    together = threading.Barrier(len(rivals))

    def upload(rival: tuple[str, bytes]) -> int:
        together.wait()
        return app.put(*rival).status_code

    with ThreadPoolExecutor(len(rivals)) as pool:
        statuses = list(pool.map(upload, rivals))
    assert sorted(statuses) == [201, 409, 409, 409]
    kept = http.get(f"/api/v1/sessions/{app.session}/segments/0/camera/0").content
    assert kept == rivals[statuses.index(201)][1]


@pytest.mark.parametrize("fault", ["other bytes", "fewer bytes", "more bytes", "other place", "other key", "no record"])
def test_wrong_upload_is_refused(institution: Institution, sitting: Sitting, fault: str) -> None:
    app = sitting("wrong-" + fault.replace(" ", "-"))
    record, data = app.seal(Track.CAMERA)
    path = None
    if fault == "other bytes":
        data = data[:-1] + bytes([data[-1] ^ 1])
    elif fault == "fewer bytes":
        data = data[:-1]
    elif fault == "more bytes":
        data += b"!" * 300_000
    elif fault == "other place":
        path = "0/camera/1"
    elif fault == "other key":
        stranger = Application(app.http, app.link)
        head, body, _signature = record.split(".")
        record = f"{head}.{body}." + jws.sign(app.joined, stranger.signing, typ="x").split(".")[2]
    else:
        record = "nothing.like.it"
        path = "0/camera/0"
        url = f"/api/v1/sessions/{app.session}/segments/{path}"
        answer = app.http.put(url, content=data, headers=app.bearer | {wire.RECORD_HEADER: record})
        assert (answer.status_code, answer.json()["code"]) == (422, "E-RECORD")
        return
    answer = app.put(record, data, path=path)
    assert (answer.status_code, answer.json()["code"]) == (422, "E-RECORD")
    assert institution.call("GET", f"/api/v1/sessions/{app.session}")["segments"] == 0


def test_range_of_a_segment(http: httpx.Client, sitting: Sitting) -> None:
    app = sitting("range")
    record, data = app.seal(Track.CAMERA, size=600_000)
    assert app.put(record, data).status_code == 201
    url = f"/api/v1/sessions/{app.session}/segments/0/camera/0"
    part = http.get(url, headers={"Range": "bytes=10-300009"})
    assert (part.status_code, part.content) == (206, data[10:300_010])
    assert part.headers["Content-Range"] == f"bytes 10-300009/{len(data)}"
    assert http.get(url, headers={"Range": "bytes=-5"}).content == data[-5:]
    for nothing in (f"{len(data)}-", "-0"):
        assert http.get(url, headers={"Range": f"bytes={nothing}"}).status_code == 416
    assert http.get(url, headers={"Range": f"bytes=0-{'9' * 5_000}"}).content == data  # not understood, so ignored
    assert http.get(url).content == data


def test_lost_file_is_told_once_and_the_rest_is_still_exported(
    http: httpx.Client, institution: Institution, sitting: Sitting, data: Path, tmp_path: Path
) -> None:
    app = sitting("lost")
    sealed = [app.seal(Track.CAMERA) for _ in range(2)]
    for one in sealed:
        assert app.put(*one).status_code == 201
    place = Place(session=app.session, epoch=0, track=Track.CAMERA, sequence=0, record=jws.digest(sealed[0][0]))
    settings.open_store(settings.load(data / settings.NAME), data).delete(place)
    for _ in range(2):
        answer = http.get(f"/api/v1/sessions/{app.session}/segments/0/camera/0")
        assert (answer.status_code, answer.json()["code"]) == (404, "E-STORAGE")
    download = tmp_path / "export.zip"
    download.write_bytes(http.get(f"/api/v1/sessions/{app.session}/export").content)
    with open_export(download) as export:
        manifest = export.manifest()
        pin = key_id(institution.key.public_key())
        verdict = verify_session(manifest, export, pin=pin, private_key=institution.examiner)
    assert manifest.records == tuple(record for record, _data in sealed)
    assert [(one.kind, dict(one.facts)) for one in manifest.server_incidents] == [
        ("segment_lost", {"place": "0-camera-0"})
    ]
    assert [fault.outcome for fault in verdict.faults] == [Outcome.MISSING]


def test_an_exam_stores_no_more_than_its_quota_and_goes_on_when_that_is_raised(
    http: httpx.Client, institution: Institution, sitting: Sitting
) -> None:
    """Refused so that the application keeps its copy and asks again; what has a receipt stays."""
    app = sitting("quota")
    first, second = app.seal(Track.CAMERA, size=50_000), app.seal(Track.CAMERA, size=50_000)
    assert app.put(*first).status_code == 201
    path = "/api/v1/exams/quota/quota"
    before = institution.call("GET", path)
    assert (before["bytes"], before["stored"] > 50_000) == (None, True)
    assert institution.call("PUT", path, {"bytes": 100_000})["bytes"] == 100_000
    for _ in range(2):
        answer = app.put(*second)
        assert (answer.status_code, answer.json()["code"]) == (507, "E-STORAGE")
        assert int(answer.headers["Retry-After"]) > 0
    incidents = institution.call("GET", f"/api/v1/sessions/{app.session}")["server_incidents"]
    assert [(one["kind"], one["facts"]) for one in incidents] == [
        ("quota_reached", {"of": "exam", "limit_bytes": "100000"})
    ]
    assert app.put(*first).status_code == 200
    assert http.get(f"/api/v1/sessions/{app.session}/segments/0/camera/0").content == first[1]
    institution.call("PUT", path, {"bytes": None})
    assert app.put(*second).status_code == 201
    entries = institution.call("GET", "/api/v1/audit")["entries"]
    assert [one["facts"] for one in entries if one["action"] == "quota.set"] == [{"bytes": "none"}, {"bytes": "100000"}]


def test_a_place_that_no_record_can_name_is_refused(http: httpx.Client, sitting: Sitting) -> None:
    app = sitting("place")
    record, data = app.seal(Track.CAMERA, advance=False)
    for place in (f"{2**70}/camera/0", f"0/camera/{2**63}", "0/camera/-1"):
        answers = [app.put(record, data, path=place), http.get(f"/api/v1/sessions/{app.session}/segments/{place}")]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(422, "E-FORMAT")] * 2


def test_text_that_the_database_keeps_in_no_column_is_refused(institution: Institution, sitting: Sitting) -> None:
    """PostgreSQL knows no zero byte in texts; SQLite takes it."""
    sitting("zero")
    body = {"name": "Gra\0ce"}
    answer = institution.http.post("/api/v1/exams/zero/candidates", json=body, headers={"X-Fairlock": "1"})
    assert (answer.status_code, answer.json().get("code")) in ((201, None), (422, "E-FORMAT"))


def test_an_examiner_is_told_which_seconds_of_which_track_are_missing(
    institution: Institution, sitting: Sitting
) -> None:
    app = sitting("coverage")
    for track, starts in {Track.CAMERA: (0, 10_000), Track.SCREEN: (0, 5_000, 10_000), Track.JOURNAL: (0,)}.items():
        for start_ms in starts:
            assert app.put(*app.seal(track, start_ms=start_ms)).status_code == 201
    lacking = institution.call("GET", f"/api/v1/sessions/{app.session}")["missing"]
    assert lacking == [
        {"track": "camera", "from_ms": 5_000, "to_ms": 10_000},
        {"track": "microphone", "from_ms": 0, "to_ms": 15_000},
    ]


def test_second_program_is_refused_and_reported(institution: Institution, sitting: Sitting) -> None:
    app = sitting("second")
    other = Application(app.http, app.link)
    other.joined, other.session, other.policy = app.joined, app.session, app.policy
    answer = other.try_bind()
    assert (answer.status_code, answer.json()["code"]) == (409, "E-SECOND-PROGRAM")
    assert not app.beat(None).frozen
    incidents = institution.call("GET", f"/api/v1/sessions/{app.session}")["server_incidents"]
    assert [one["kind"] for one in incidents] == ["second_program"]


def test_same_program_opens_the_next_epoch_with_a_new_key_only(sitting: Sitting) -> None:
    app = sitting("epochs")
    assert app.try_bind().json()["code"] == "E-TOKENS"
    old = app.bound
    app.signing = Ed25519PrivateKey.generate()
    new = app.bind()
    assert jws.unverified(Binding, new.binding).epoch == 1
    app.bound = old
    answer = app.try_beat(None)
    assert (answer.status_code, answer.json()["code"]) == (401, "E-NOT-SIGNED-IN")


@pytest.mark.parametrize("field", ["client", "signing_key"])
def test_wrong_tokens_are_refused(sitting: Sitting, field: str) -> None:
    app = sitting(f"tokens-{field}")
    answer = app.try_bind(app.bind_request(**{field: b"\x00" * 32}))
    assert (answer.status_code, answer.json()["code"]) == (403, "E-TOKENS")
    garbled = wire.BindRequest(tokens=b"\x01" * 384, signing_key=app.bind_request().signing_key)
    assert app.try_bind(garbled).json()["code"] == "E-TOKENS"


def test_invite_works_until_a_program_is_bound(http: httpx.Client, institution: Institution) -> None:
    institution.exam("invite")
    link = institution.invite("invite")
    lost, app = Application(http, link), Application(http, link)
    lost.join()
    app.join()
    assert app.session == lost.session
    assert lost.try_bind().json()["code"] == "E-TOKENS"
    app.bind()
    body = wire.JoinRequest(exam=link.exam, invite=link.invite, client="test")
    answer = http.post("/api/v1/join", content=schema.dumps(body))
    assert (answer.status_code, answer.json()["code"]) == (409, "E-INVITE-USED")
    unknown = wire.JoinRequest(exam=link.exam, invite="x" * 20, client="test")
    assert http.post("/api/v1/join", content=schema.dumps(unknown)).json()["code"] == "E-INVITE-UNKNOWN"


def test_parallel_requests_do_not_freeze_an_honest_candidate(http: httpx.Client, sitting: Sitting) -> None:
    """A page with many parts: all ask with one cookie; whichever answer comes last, the browser's token counts."""
    app = sitting("parallel")
    cookie = enter(http, app.bound)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _number: knock(http, cookie), range(80)))
    assert {answer.status_code for answer in answers} == {204}
    tokens = {cookie_of(answer) for answer in answers}
    assert len(tokens) == 80
    for token in tokens:
        assert not app.beat(token).frozen
        assert knock(http, token).status_code == 204
    assert _incidents(http, app) == []


def _incidents(http: httpx.Client, app: Application) -> list[str]:
    detail = http.get(f"/api/v1/sessions/{app.session}").json()
    return [one["kind"] for one in detail["server_incidents"]]


def test_gate_tells_the_site_who_it_is_and_nobody_else_passes(http: httpx.Client, institution: Institution) -> None:
    institution.exam("who", start_url="http://exam.test/start?x=1")
    app = Application(http, institution.invite("who", "Zoë Ångström"))
    app.join()
    bound = app.bind()
    assert bound.entry_url.startswith("http://exam.test/.fairlock/enter?ticket=")
    answer = knock(http, enter(http, bound))
    assert answer.headers["X-Fairlock-Session"] == app.session
    assert answer.headers["X-Fairlock-Candidate"] == "Zo%C3%AB %C3%85ngstr%C3%B6m"
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert knock(http, "invented").status_code == 401
    assert knock(http, "").status_code == 401


def test_ticket_is_spent_when_its_cookie_was_used(http: httpx.Client, sitting: Sitting) -> None:
    app = sitting("ticket")
    lost = enter(http, app.bound)
    cookie = enter(http, app.bound)
    assert knock(http, lost).status_code == 401
    cookie = cookie_of(knock(http, cookie))
    ticket = httpx.URL(app.bound.entry_url).params["ticket"]
    assert http.get("/gate/enter", params={"ticket": ticket}, headers={"Cookie": ""}).status_code == 401
    known = http.get("/gate/enter", params={"ticket": ticket}, headers={"Cookie": f"fairlock={cookie}"})
    assert (known.status_code, known.headers["Location"]) == (303, app.policy.browser.start_url)


def test_gate_closes_when_the_exam_is_over(http: httpx.Client, sitting: Sitting) -> None:
    app = sitting("over")
    cookie = enter(http, app.bound)
    app.beat(cookie, SessionState.UNLOCKING)
    assert knock(http, cookie).status_code == 401


def test_action_is_signed_and_reaches_the_application(institution: Institution, sitting: Sitting) -> None:
    app = sitting("action")
    body = {"kind": "message", "arguments": {"text": "Five minutes left – good luck"}}
    issued = institution.call("POST", f"/api/v1/sessions/{app.session}/actions", body)
    (token,) = app.beat(None).actions
    action = jws.verify(Action, token, load_ed25519(app.policy.server.receipt_key), typ=ACTION_TYPE)
    assert (action.id, action.issuer, action.session) == (issued["id"], "ada", app.session)
    assert action.arguments == {"text": "Five minutes left – good luck"}


def test_end_may_not_shrink(sitting: Sitting) -> None:
    app = sitting("shrink")
    for _ in range(3):
        app.seal(Track.CAMERA)
    assert app.end(app.end_token()).missing == 3
    answer = app.try_end(app.end_token(records=2))
    assert (answer.status_code, answer.json()["code"]) == (409, "E-CONFLICT")


def test_end_that_contradicts_the_chain_is_refused(sitting: Sitting) -> None:
    app = sitting("contradiction")
    assert app.put(*app.seal(Track.CAMERA)).status_code == 201
    answer = app.try_end(app.end_token(records=7))
    assert (answer.status_code, answer.json()["code"]) == (422, "E-RECORD")


def test_views_are_audited(institution: Institution, sitting: Sitting) -> None:
    app = sitting("audit")
    institution.call("GET", f"/api/v1/sessions/{app.session}/manifest")
    institution.call("GET", f"/api/v1/sessions/{app.session}/manifest")
    entries = institution.call("GET", "/api/v1/audit")["entries"]
    mine = [(entry["account"], entry["action"]) for entry in entries if entry["subject"] == app.session]
    assert mine == [("ada", "manifest.viewed")]


def test_nothing_of_a_session_without_login(http: httpx.Client, sitting: Sitting) -> None:
    app = sitting("private")
    with httpx.Client(base_url=http.base_url, trust_env=False) as stranger:
        for path in ("", "/manifest", "/export", "/segments/0/camera/0"):
            answer = stranger.get(f"/api/v1/sessions/{app.session}{path}")
            assert (answer.status_code, answer.json()["code"]) == (401, "E-NOT-SIGNED-IN")


def test_log_and_database_hold_no_token(data: Path, http: httpx.Client, sitting: Sitting) -> None:
    app = sitting("secrets")
    cookie = cookie_of(knock(http, enter(http, app.bound)))
    ticket = httpx.URL(app.bound.entry_url).params["ticket"]
    secrets = [cookie, ticket, app.bound.access_token, app.link.invite]
    written = io.BytesIO()
    for path in (data.parent / "server.log", data / "fairlock.db", data / "fairlock.db-wal"):
        if path.exists() or not (data / settings.NAME).exists():
            written.write(path.read_bytes())
    database = settings.open_database(settings.load(data / settings.NAME), data)
    with database.read() as tx:
        for table in Base.metadata.sorted_tables:
            written.write(repr(tx.execute(select(table)).all()).encode())
    database.close()
    for secret in secrets:
        assert secret.encode() not in written.getvalue()
    assert app.joined.client_token not in written.getvalue()

"""Who sent a segment a moment ago has the next one read before it is checked, and all is checked all the same."""

import select
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from app.contract.wire import RECORD_HEADER
from server.exams import evidence, upload
from server.live.admissions import LASTS_MS
from server.load import Load
from server.refused import Refused
from server.web import draining
from tests.e2e.server_rig import Application, opened, prepare, timed


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server") / "data"
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def http(data: Path, clock: ManualClock) -> Iterator[httpx.Client]:
    with timed(data, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        yield http


@pytest.fixture
def app(http: httpx.Client, request: pytest.FixtureRequest) -> Application:
    exam = f"exam-{abs(hash(request.node.name))}"
    application = opened(http, exam).seat(exam)
    assert application.put(*application.seal(Track.CAMERA)).status_code == 201
    return application


def _files(data: Path, app: Application) -> int:
    assert list((data / "incoming").iterdir()) == []
    return len(list((data / "sessions" / app.session).glob("*.fls")))


def test_it_takes_one_turn_of_a_thread_until_the_moment_is_over(
    app: Application, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[object] = []
    original = upload._in_thread

    async def counted(request: object, function: object, *arguments: object) -> object:
        turns.append(function)
        return await original(request, function, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(upload, "_in_thread", counted)
    assert app.put(*app.seal(Track.CAMERA)).status_code == 201
    assert len(turns) == 1
    clock.advance(LASTS_MS / 1_000)
    assert app.put(*app.seal(Track.CAMERA)).status_code == 201
    assert len(turns) == 3


def test_a_large_segment_is_checked_before_it_is_read(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "SMALL", 1_000)
    monkeypatch.setattr(upload, "_take", None)  # not called
    assert app.put(*app.seal(Track.CAMERA)).status_code == 201


def test_bytes_that_are_not_the_records_leave_nothing(app: Application, data: Path) -> None:
    record, sealed = app.seal(Track.CAMERA)
    for wrong in (sealed[:-1], sealed + b"!", b"", bytes(len(sealed))):
        answer = app.put(record, wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "E-RECORD")
    assert _files(data, app) == 1
    assert app.put(record, sealed).status_code == 201
    assert _files(data, app) == 2


def test_a_record_that_another_key_signed_is_refused(app: Application, data: Path) -> None:
    record, sealed = app.seal(Track.CAMERA)
    head, body, _signature = record.split(".")
    forged = f"{head}.{body}.{'A' * 86}"
    answer = app.put(forged, sealed)
    assert (answer.status_code, answer.json()["code"]) == (422, "E-RECORD")
    assert _files(data, app) == 1


def test_the_same_again_has_the_same_receipt_and_another_is_a_conflict(app: Application, data: Path) -> None:
    first = app.seal(Track.CAMERA, advance=False)
    second = app.seal(Track.CAMERA, advance=False)
    stored = app.put(*first)
    again = app.put(*first)
    assert (stored.status_code, again.status_code) == (201, 200)
    assert again.json()["receipt"] == stored.json()["receipt"]
    assert app.put(*second).json()["code"] == "E-CONFLICT"
    assert _files(data, app) == 2


def test_the_token_of_an_earlier_binding_is_refused_at_once(app: Application) -> None:
    record, sealed = app.seal(Track.CAMERA)
    earlier, app.signing = app.bearer, Ed25519PrivateKey.generate()
    app.bind()
    place = f"/api/v1/sessions/{app.session}/segments/0/camera/1"
    assert app.http.put(place, content=sealed, headers=earlier | {RECORD_HEADER: record}).status_code == 401
    assert app.put(record, sealed).status_code == 201


def test_a_sender_counts_from_the_first_byte(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Load, "SESSION_LIMIT", 0)
    assert app.put(*app.seal(Track.CAMERA)).json()["code"] == "E-BUSY"


def test_what_fails_on_the_disk_is_tried_again(app: Application, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = app.seal(Track.CAMERA)

    def fail(*_arguments: object) -> None:
        raise Refused(503, "E-STORAGE", "no")

    with monkeypatch.context() as patch:
        patch.setattr(evidence, "_enter", fail)
        assert app.put(*segment).status_code == 503
    assert app.put(*segment).status_code == 201
    assert _files(data, app) == 2
    assert jws.digest(segment[0]) == app.head


def _trickle(app: Application, record: str, sealed: bytes, piece: int) -> tuple[bytes, int]:
    """Send a segment in small pieces until the server answers; return the answer's first line, and the bytes sent."""
    url, said = urlsplit(str(app.http.base_url)), jws.unverified(Record, record)
    headers = app.bearer | {"Host": "x", "Content-Length": str(len(sealed)), RECORD_HEADER: record}
    place = f"/api/v1/sessions/{app.session}/segments/{said.epoch}/{said.track}/{said.sequence}"
    head = f"PUT {place} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sent = 0
    with socket.create_connection((url.hostname or "", url.port or 0)) as line:
        line.sendall(f"{head}\r\n".encode())
        while sent < len(sealed) and not select.select([line], [], [], 0.02)[0]:
            sent += line.send(sealed[sent : sent + piece])
        return line.makefile("rb").readline(), sent


def test_what_is_stored_already_is_answered_before_a_thin_line_has_brought_it(
    app: Application, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "WHOLE_S", 0.1)
    monkeypatch.setattr(draining, "DRAIN_S", 0.1)
    record, sealed = app.seal(Track.CAMERA, size=200_000)
    assert app.put(record, sealed).status_code == 201
    answer, sent = _trickle(app, record, sealed, 500)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert sent < len(sealed)
    assert _files(data, app) == 2


def test_what_a_thin_line_brings_is_stored_whole(app: Application, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "WHOLE_S", 0.1)
    record, sealed = app.seal(Track.CAMERA, size=200_000)
    answer, sent = _trickle(app, record, sealed, 10_000)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert sent == len(sealed)
    (path,) = (data / "sessions" / app.session).glob("0-camera-1*.fls")
    assert path.read_bytes() == sealed

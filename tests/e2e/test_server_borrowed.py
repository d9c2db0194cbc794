"""A long segment is read straight from its socket, and the connection goes on as if the parser had seen every byte."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Scope

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from app.contract.wire import RECORD_HEADER
from server import borrowed, connections
from server.borrowed import BLOCK, Borrowed
from server.exams import blocks
from server.web import draining
from tests.e2e.server_rig import Application, opened, prepare, timed
from tests.xserver import wait_for

LONG = 3 * BLOCK + 12_345
DEADLINE_S = 60


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server") / "data"
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[httpx.Client]:
    with timed(data, ManualClock()) as url, httpx.Client(base_url=url, trust_env=False, timeout=DEADLINE_S) as http:
        yield http


@pytest.fixture
def app(server: httpx.Client, request: pytest.FixtureRequest) -> Application:
    exam = f"exam-{abs(hash(request.node.name))}"
    return opened(server, exam).seat(exam)


@pytest.fixture
def line(server: httpx.Client) -> Iterator[socket.socket]:
    at = urlsplit(str(server.base_url))
    with socket.create_connection((at.hostname, at.port), timeout=DEADLINE_S) as line:
        yield line


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> list[Borrowed | None]:
    """Return what the server's requests borrowed."""
    seen: list[Borrowed | None] = []
    original = connections.borrow

    def borrow(scope: Scope) -> Borrowed | None:
        seen.append(original(scope))
        return seen[-1]

    monkeypatch.setattr(connections, "borrow", borrow)
    return seen


def head(app: Application, record: str, size: int) -> bytes:
    said = jws.unverified(Record, record)
    path = f"/api/v1/sessions/{app.session}/segments/{said.epoch}/{said.track}/{said.sequence}"
    fields = app.bearer | {RECORD_HEADER: record, "Host": "here", "Content-Length": str(size)}
    return "\r\n".join([f"PUT {path} HTTP/1.1", *(f"{a}: {b}" for a, b in fields.items()), "", ""]).encode()


def answered(line: socket.socket) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(line)
    answer.begin()
    answer.read()
    return answer


def stored(data: Path, app: Application) -> list[bytes]:
    assert list((data / "incoming").iterdir()) == []
    return [path.read_bytes() for path in sorted((data / "sessions" / app.session).glob("*.fls"))]


def test_the_same_connection_brings_one_after_the_other(
    app: Application, data: Path, line: socket.socket, lent: list[Borrowed | None]
) -> None:
    sealed = [app.seal(Track.CAMERA, size=LONG) for _ in range(3)]
    for record, segment in sealed:
        line.sendall(head(app, record, len(segment)) + segment)
        assert answered(line).status == 201
    assert stored(data, app) == [segment for _record, segment in sealed]
    assert len(lent) == 3
    assert all(lent)


def test_who_does_not_wait_for_the_answer_gets_both(app: Application, data: Path, line: socket.socket) -> None:
    sealed = [app.seal(Track.CAMERA, size=LONG) for _ in range(2)]
    line.sendall(b"".join(head(app, record, len(segment)) + segment for record, segment in sealed))
    assert [answered(line).status for _ in sealed] == [201, 201]
    assert stored(data, app) == [segment for _record, segment in sealed]


def test_who_sends_slowly_is_waited_for_in_the_event_loop(
    app: Application, data: Path, line: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(borrowed, "QUICK_S", 0.0)  # nobody is quick
    record, segment = app.seal(Track.CAMERA, size=LONG)
    line.sendall(head(app, record, len(segment)) + segment)
    assert answered(line).status == 201
    assert stored(data, app) == [segment]


def test_a_sender_who_falls_silent_is_refused(
    app: Application, data: Path, line: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "GAP_S", 0.2)
    monkeypatch.setattr(draining, "DRAIN_S", 0.2)
    record, segment = app.seal(Track.CAMERA, size=LONG)
    line.sendall(head(app, record, len(segment)) + segment[: 2 * BLOCK])
    answer = answered(line)
    assert (answer.status, answer.getheader("Connection")) == (503, "close")
    assert stored(data, app) == []


def test_what_is_refused_is_read_to_its_end_and_the_connection_goes_on(
    app: Application, data: Path, line: socket.socket
) -> None:
    record, segment = app.seal(Track.CAMERA, size=LONG)
    for wrong in (segment + bytes(BLOCK), segment[:-1], bytes([segment[0] ^ 1]) + segment[1:]):
        line.sendall(head(app, record, len(wrong)) + wrong)
        assert answered(line).status == 422
        assert stored(data, app) == []
    line.sendall(head(app, record, len(segment)) + segment)
    assert answered(line).status == 201
    assert stored(data, app) == [segment]


def test_who_hangs_up_leaves_nothing_behind(app: Application, data: Path, line: socket.socket) -> None:
    record, segment = app.seal(Track.CAMERA, size=LONG)
    line.sendall(head(app, record, len(segment)) + segment[: 2 * BLOCK])
    wait_for(lambda: list((data / "incoming").iterdir()), "the segment under way", DEADLINE_S)
    line.close()
    wait_for(lambda: not list((data / "incoming").iterdir()), "the segment under way", DEADLINE_S)
    assert stored(data, app) == []


def test_a_body_in_chunks_takes_the_ordinary_way(
    app: Application, data: Path, line: socket.socket, lent: list[Borrowed | None]
) -> None:
    record, segment = app.seal(Track.CAMERA, size=LONG)
    chunked = head(app, record, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    line.sendall(chunked + b"%x\r\n" % len(segment) + segment + b"\r\n0\r\n\r\n")
    assert answered(line).status == 201
    assert stored(data, app) == [segment]
    assert lent == [None]

"""Somebody answers in the server's place, with a status that says nothing went wrong: it is no answer, and may pass."""

from collections.abc import Callable, Iterator

import pytest

from app.contract.errors import IntegrityError, Outcome, Retryable
from app.contract.incidents import Track
from app.contract.sealing.records import FORMAT_VERSION, Record
from app.contract.session import SessionState
from app.contract.wire import Heartbeat
from app.recorder.client import ServerClient
from tests.unit.capture_parts import SESSION
from tests.unit.live_relay import Relay, relay

BEAT = Heartbeat(state=SessionState.RUNNING, cookie=None, head=bytes(32), records=0)
RECORD = Record(
    version=FORMAT_VERSION,
    session=SESSION,
    epoch=0,
    track=Track.CAMERA,
    sequence=0,
    fragments=1,
    size=100,
    digest=bytes(32),
    previous=bytes(32),
    start_ms=0,
    duration_ms=1_000,
    closed_ms=0,
    complete=True,
)
CALLS: dict[str, Callable[[ServerClient], object]] = {
    "heartbeat": lambda client: client.heartbeat(SESSION, BEAT),
    "segment": lambda client: client.put_live("jws", RECORD),
    "live": lambda client: client.push_live(SESSION, b""),
}


@pytest.fixture
def server() -> Iterator[Relay]:
    with relay() as it:
        it.answers_beats.set()
        yield it


@pytest.fixture
def client(server: Relay) -> Iterator[ServerClient]:
    it = ServerClient(server.url)
    yield it
    it.close()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "said"),
    [
        pytest.param(302, b"", id="elsewhere"),
        pytest.param(302, b'{"code":"E-SESSION-ENDED","detail":""}', id="elsewhere-in-our-words"),
        pytest.param(200, b"<html>Welcome, guest</html>", id="page"),
        pytest.param(200, b'{"welcome":"guest"}', id="json"),
        pytest.param(200, b"[]", id="list"),
    ],
)
def test_it_is_no_answer(server: Relay, client: ServerClient, call: str, status: int, said: bytes) -> None:
    server.answer = (status, {"Location": "http://portal.example"}, said)
    with pytest.raises(Retryable) as failure:
        CALLS[call](client)
    assert failure.value.code == "E-ANSWER"


def test_what_the_server_itself_stores_in_a_place_will_not_pass(server: Relay, client: ServerClient) -> None:
    server.refuse(409, "E-CONFLICT")
    with pytest.raises(IntegrityError) as refusal:
        client.put_live("jws", RECORD)
    assert refusal.value.outcome is Outcome.DIGEST_MISMATCH

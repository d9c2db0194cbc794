"""Live view of a recording over HTTP: where the policy allows it, as the files grow, and never in anybody's way."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.contract.errors import FairlockError, Retryable, UserFacing
from app.contract.incidents import Track
from app.contract.journal import EntryType
from app.contract.session import SessionState
from app.contract.wire import Heartbeat
from app.recorder.client import ServerClient
from app.recorder.recording import Recording
from capture.fake import FakeVideo
from capture.spool import file_stem
from tests.unit.capture_parts import SESSION
from tests.unit.live_relay import Relay, relay
from tests.unit.test_recorder_recording import DEADLINE_S, Bench

PATH = f"POST /api/v1/sessions/{SESSION}/live"
BEAT = Heartbeat(state=SessionState.RUNNING, cookie=None, head=bytes(32), records=0)


@pytest.fixture
def server() -> Iterator[Relay]:
    with relay() as it:
        yield it


@pytest.fixture
def client(server: Relay) -> Iterator[ServerClient]:
    it = ServerClient(server.url)
    it.use_token("token")
    yield it
    it.close()


def recording(bench: Bench, client: ServerClient, *, live_view: bool = True) -> Recording:
    """Return a recording of one camera, sent to ``client``."""
    made = bench.recording(FakeVideo(bench.clock))
    parts = made._parts
    made.close()
    policy = replace(parts.joined.policy, capture=replace(parts.joined.policy.capture, live_view=live_view))
    return Recording(replace(parts, client=client, joined=replace(parts.joined, policy=policy)))


def test_what_is_sent_is_what_stands_in_the_files(tmp_path: Path, server: Relay, client: ServerClient) -> None:
    made = recording(Bench(tmp_path), client)
    made.start()
    for _ in range(2):
        assert server.news.acquire(timeout=DEADLINE_S)
    made.stop()
    made.close()
    files = server.files()
    assert files
    for place, data in files.items():
        assert place[1] is Track.CAMERA  # neither journal nor pictures
        assert len(data) > 1_000
        assert (tmp_path / "spool" / f"{file_stem(place)}.fls").read_bytes().startswith(data)
    assert {one for one in server.asked if one[0].startswith("POST")} == {(PATH, "Bearer token")}


def test_a_policy_without_live_view_sends_nothing_live(tmp_path: Path, server: Relay, client: ServerClient) -> None:
    made = recording(Bench(tmp_path), client, live_view=False)
    made.start()
    made.wait_for_first_fragments()
    made.stop()
    made.close()
    assert not server.pieces
    assert "live" not in {thread.name for thread in threading.enumerate()}


def test_a_server_that_knows_no_live_view_is_noted_once(tmp_path: Path, server: Relay, client: ServerClient) -> None:
    server.answer = (404, {"Content-Type": "application/json"}, b'{"detail":"Not Found"}')
    bench = Bench(tmp_path)
    made = recording(bench, client)
    made.start()
    assert server.news.acquire(timeout=DEADLINE_S)
    assert server.news.acquire(timeout=DEADLINE_S)
    made.stop()
    made.close()
    (said,) = [note for note in bench.journal(EntryType.NOTE) if "live_view" in note]
    assert (said["live_view"], said["code"]) == ("waits", "E-ANSWER")
    first, *later = [body for ask, body in zip(server.asked, server.bodies, strict=True) if ask[0] == PATH]
    assert first
    assert set(later) == {b""}
    assert bench.records(Track.CAMERA)


def test_it_never_queues_behind_what_takes_long(tmp_path: Path, server: Relay, client: ServerClient) -> None:
    beats = [threading.Thread(target=_beat, args=(client,)) for _ in range(6)]
    for beat in beats:
        beat.start()
    for _ in beats:
        assert server.hanging.acquire(timeout=DEADLINE_S)
    client.push_live(SESSION, b"")  # raises if it has no answer
    server.answers_beats.set()
    for beat in beats:
        beat.join(DEADLINE_S)
    assert server.asked[0][0] == PATH


def _beat(client: ServerClient) -> None:
    with pytest.raises(FairlockError):  # nobody answers heartbeats here
        client.heartbeat(SESSION, BEAT)


@pytest.mark.parametrize(("status", "code"), [(401, "E-NOT-SIGNED-IN"), (404, "E-SESSION-UNKNOWN"), (422, "E-FORMAT")])
def test_a_refusal_is_told_as_one(server: Relay, client: ServerClient, status: int, code: str) -> None:
    server.refuse(status, code)
    with pytest.raises(UserFacing) as refusal:
        client.push_live(SESSION, b"")
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("answer", "after_s"),
    [
        ((503, {"Retry-After": "7"}, b""), 7),
        ((429, {}, b""), None),
        ((200, {}, b"<html>Please sign in to this network</html>"), None),
        ((302, {"Location": "http://portal.example"}, b""), None),
    ],
)
def test_who_is_busy_or_in_between_has_not_taken_it(
    server: Relay, client: ServerClient, answer: tuple[int, dict[str, str], bytes], after_s: float | None
) -> None:
    server.answer = answer
    with pytest.raises(Retryable) as failure:
        client.push_live(SESSION, b"")
    assert failure.value.after_s in (after_s, 0.0 if after_s is None else after_s)

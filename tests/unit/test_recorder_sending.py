"""What came live is sent once: the record alone where every byte arrived, and the file wherever that is in doubt."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.contract.errors import FairlockError, IntegrityError, Outcome, Retryable, UserFacing
from app.contract.incidents import Track
from app.contract.sealing.records import Record
from app.contract.wire import LIVE_HEADER, RECORD_HEADER
from app.recorder.client import ServerClient
from app.recorder.live_feed import LiveFeed
from app.recorder.sending import SendOnce
from tests.unit.capture_parts import SESSION, Workshop
from tests.unit.live_relay import relay

LACKS = UserFacing("some is missing", advice="", code="E-LIVE")
OLD = UserFacing("the bytes are not what the record says", advice="", code="E-RECORD")
OTHER = UserFacing("no segment of ours", advice="", code="E-FORMAT")
CONFLICT = IntegrityError(Outcome.DIGEST_MISMATCH, "the server stores something else in this place")


class Client(ServerClient):
    """Notes what is sent, and answers a record alone with the next of ``refusals``."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")
        self.sent: list[str] = []
        self.refusals: list[FairlockError] = []

    def put(self, record_jws: str, record: Record, path: Path) -> str:
        self.sent.append("file")
        return "receipt of the file"

    def put_live(self, record_jws: str, record: Record) -> str:
        self.sent.append("record")
        if self.refusals:
            raise self.refusals.pop(0)
        return "receipt"


class Feed(LiveFeed):
    """Says of everything that it was delivered, or not."""

    def __init__(self) -> None:
        self.has_delivered = True
        self.sizes: list[int] = []

    def delivered(self, place: tuple[int, Track, int], size: int) -> bool:
        assert place == (0, Track.CAMERA, 0)
        self.sizes.append(size)
        return self.has_delivered


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[tuple[str, Record]]:
    workshop = Workshop(tmp_path)
    segmenter = workshop.segmenter(Track.CAMERA)
    segmenter.push_plain(b"picture", 0)
    segmenter.close()
    ((record, token),) = workshop.closed
    yield token, record
    workshop.close()


class Bench:
    def __init__(self) -> None:
        self.client, self.feed = Client(), Feed()
        self.sender = SendOnce(self.client, self.feed)

    def put(self, closed: tuple[str, Record]) -> str:
        return self.sender.put(*closed, Path("never-read"))


@pytest.fixture
def bench() -> Iterator[Bench]:
    it = Bench()
    yield it
    it.client.close()


def test_what_was_delivered_is_not_sent_again(bench: Bench, closed: tuple[str, Record]) -> None:
    assert bench.put(closed) == "receipt"
    assert bench.client.sent == ["record"]
    assert bench.feed.sizes == [closed[1].size]


def test_what_was_not_is_sent_as_a_file(bench: Bench, closed: tuple[str, Record]) -> None:
    bench.feed.has_delivered = False
    assert bench.put(closed) == "receipt of the file"
    assert bench.client.sent == ["file"]


def test_a_server_that_lacks_some_gets_the_file_and_is_asked_again_next_time(
    bench: Bench, closed: tuple[str, Record]
) -> None:
    bench.client.refusals = [LACKS]
    assert bench.put(closed) == "receipt of the file"
    assert bench.put(closed) == "receipt"
    assert bench.client.sent == ["record", "file", "record"]


@pytest.mark.parametrize("refusal", [OLD, OTHER, CONFLICT])
def test_any_other_refusal_is_of_no_account_and_the_last_one(
    bench: Bench, closed: tuple[str, Record], refusal: FairlockError
) -> None:
    bench.client.refusals = [refusal]
    assert bench.put(closed) == "receipt of the file"
    assert bench.put(closed) == "receipt of the file"
    assert bench.client.sent == ["record", "file", "file"]


def test_a_server_that_is_away_is_not_sent_the_file_in_the_same_breath(
    bench: Bench, closed: tuple[str, Record]
) -> None:
    bench.client.refusals = [Retryable("away")]
    with pytest.raises(Retryable):
        bench.put(closed)
    assert bench.client.sent == ["record"]


@pytest.mark.parametrize("code", ["E-PIN", "E-CERTIFICATE", "E-ANSWER", "E-NOT-SIGNED-IN"])
def test_a_strangers_answer_is_raised_and_says_nothing_of_the_way(
    bench: Bench, closed: tuple[str, Record], code: str
) -> None:
    bench.client.refusals = [UserFacing("a stranger's", advice="", code=code)]
    with pytest.raises(UserFacing):
        bench.put(closed)
    assert bench.put(closed) == "receipt"
    assert bench.client.sent == ["record", "record"]


def test_a_record_alone_has_no_body_and_says_so(closed: tuple[str, Record]) -> None:
    token, record = closed
    with relay() as server:
        server.answer = (201, {"Content-Type": "application/json"}, b'{"health":3,"receipt":"signed"}')
        client = ServerClient(server.url)
        assert client.put_live(token, record) == "signed"
        assert client.health == 3
        assert server.asked[-1][0] == f"PUT /api/v1/sessions/{SESSION}/segments/0/camera/0"
        assert server.bodies[-1] == b""
        assert (server.headers[-1][RECORD_HEADER], server.headers[-1][LIVE_HEADER]) == (token, "1")
        server.refuse(428, "E-LIVE")
        with pytest.raises(UserFacing) as refusal:
            client.put_live(token, record)
        assert refusal.value.code == "E-LIVE"
        client.close()

"""Whatever answers in a server's place, and whatever can't be sent: it is one of our errors, and comes in time."""

import gzip
import io
import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from app.channel import encode
from app.clock import ManualClock
from app.contract import schema
from app.contract.errors import FairlockError, Retryable, UserFacing
from app.contract.session import SessionState
from app.contract.wire import BindAnswer, BindRequest, Heartbeat
from app.messages import Refused
from app.recorder import answer_reading
from app.recorder import client as client_module
from app.recorder.client import ServerClient
from tests.unit.capture_parts import SESSION
from tests.unit.live_relay import relay

BEAT = Heartbeat(state=SessionState.RUNNING, cookie=None, head=bytes(32), records=0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
DEADLINE_S = 60.0
PACKED_HEAD = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
PACKED = gzip.compress(bytes(100_000))
Start = Callable[[Iterator[bytes]], str]


class Dripping(io.RawIOBase):
    """A socket and its file: a byte comes whenever ``after_s`` have passed; notes how long it may be waited for."""

    def __init__(self, clock: ManualClock, *, wait_s: float, after_s: float) -> None:
        self.waits: list[float] = []
        self._clock, self._wait_s, self._after_s = clock, wait_s, after_s

    def gettimeout(self) -> float:
        """Return how long each byte was to be waited for at first."""
        return self._wait_s

    def settimeout(self, wait_s: float) -> None:
        """Note it."""
        self.waits.append(wait_s)

    def makefile(self, *_: object, **_more: object) -> "Dripping":
        """Return what the bytes are read from."""
        return self

    def readinto(self, buffer: Any) -> int:
        """Give one byte."""
        self._clock.advance(self._after_s)
        buffer[:1] = b"x"
        return 1


@pytest.fixture
def start() -> Iterator[Start]:
    """Serve the bytes of an iterator, a moment apart, to who connects; return the address."""
    with ExitStack() as stack:
        over = threading.Event()

        def begin(answer: Iterator[bytes]) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                try:
                    line, _ = listener.accept()
                except OSError:  # nobody came
                    return
                with line:
                    take_request(line)
                    try:
                        for some in answer:
                            line.sendall(some)
                            if over.wait(0.02):
                                return
                    except OSError:
                        return

            serving = threading.Thread(target=serve, daemon=True)
            serving.start()
            stack.callback(serving.join, DEADLINE_S)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)  # a closed one alone lets accept wait for ever
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield begin
        over.set()


def take_request(line: socket.socket) -> None:
    """Read all of a request: what is closed with something unread in it is reset, and the answer may be lost."""
    came = b""
    while piece := line.recv(65_536):
        came += piece
        head, is_over, body = came.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if is_over and len(body) >= (int(length[1]) if length else 0):
            return


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServerClient._ask, "__kwdefaults__", {"timeout_s": (5.0, 0.5)})


def outcome(call: Callable[[], object]) -> BaseException | None:
    """Return what a call raises; fails when it does not end."""
    raised: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001  (a thread's main: the test looks at it)
            raised.append(error)
        else:
            raised.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(DEADLINE_S)
    assert raised, "it never ends"
    return raised[0]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: itertools.chain([HEAD % 1_000_000], itertools.repeat(b" ")), id="body"),
        pytest.param(lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"x")), id="head"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_an_answer_that_drips_is_given_up(start: Start, answer: Callable[[], Iterator[bytes]]) -> None:
    server = ServerClient(start(answer()))
    assert isinstance(outcome(lambda: server.heartbeat(SESSION, BEAT)), Retryable)
    server.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: iter([HEAD % 1_001 + b'"' + b"x" * 999 + b'"']), id="one-too-many"),
        pytest.param(lambda: itertools.chain([HEAD % 10**9], itertools.repeat(b"x" * 10_000)), id="endless"),
        pytest.param(lambda: iter([PACKED_HEAD % len(PACKED) + PACKED]), id="packed"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_an_answer_that_is_too_much_is_read_no_further(
    start: Start, monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Iterator[bytes]]
) -> None:
    monkeypatch.setattr(answer_reading, "MOST", 1_000)
    server = ServerClient(start(answer()))
    assert "more than 1000 bytes" in str(outcome(lambda: server.heartbeat(SESSION, BEAT)))
    server.close()


def test_the_last_wait_is_what_is_left_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    monkeypatch.setattr(answer_reading, "_now_s", lambda: clock.now().mono_ns / 1e9)
    line = Dripping(clock, wait_s=10, after_s=9)
    answer = answer_reading.TimelyResponse(cast(Any, line))
    for _ in range(3):
        assert answer.fp.read1(1) == b"x"
    with pytest.raises(TimeoutError):
        answer.fp.read1(1)
    assert line.waits == [10, 10, 2]


def test_live_view_waits_for_no_answer_as_long_as_others_do(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LIVE_ANSWER_S", 0.2)
    monkeypatch.setattr(ServerClient._ask, "__kwdefaults__", {"timeout_s": (5.0, 10 * DEADLINE_S)})
    server = ServerClient(start(itertools.repeat(b"")))
    assert isinstance(outcome(lambda: server.push_live(SESSION, b"")), Retryable)
    server.close()


def test_a_connection_is_used_again_once_its_answer_was_read() -> None:
    with relay() as server:
        client = ServerClient(server.url)
        for _ in range(3):
            client.push_live(SESSION, b"")
        client.close()
    assert len(server.asked) == 3
    assert len(server.lines) == 1


def test_what_nests_without_end_is_no_answer(start: Start) -> None:
    server = ServerClient(start(iter([HEAD % 100_000 + b"[" * 100_000])))
    error = outcome(lambda: server.bind(SESSION, BindRequest(tokens=b"x" * 10, signing_key=b"k" * 32)))
    assert isinstance(error, Retryable)
    assert error.code == "E-ANSWER"
    server.close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        pytest.param(b'{"code":"E-NOT-ALLOWED","detail":"%s"}' % (b"x" * 1_000_000), "E-NOT-ALLOWED", id="long-detail"),
        pytest.param(b'{"code":"E-%s","detail":""}' % (b"X" * 1_000_000), "E-ANSWER", id="long-code"),
        pytest.param(b'{"code":"E-\\u001b[31m","detail":""}', "E-ANSWER", id="coloured-code"),
        pytest.param(b'{"code":"","detail":""}', "E-ANSWER", id="no-code"),
        pytest.param(b'{"code":"E-NOT-ALLOWED","detail":"\\u0000\\u001b[2J"}', "E-NOT-ALLOWED", id="control"),
        pytest.param(b'{"code":"E-NOT-ALLOWED","detail":"\\ud800"}', "E-ANSWER", id="half-a-pair"),
        pytest.param(b'{"code":"E-NOT-ALLOWED","detail":"\xed\xa0\x80"}', "E-ANSWER", id="half-a-pair-in-bytes"),
        pytest.param(b'{"code":"E-NOT-ALLOWED","detail":1e9}', "E-ANSWER", id="number"),
    ],
)
def test_a_refusal_is_a_short_sentence_whatever_it_says(start: Start, said: bytes, code: str) -> None:
    server = ServerClient(start(iter([HEAD.replace(b"200 OK", b"403 X") % len(said) + said])))
    error = outcome(lambda: server.heartbeat(SESSION, BEAT))
    assert isinstance(error, UserFacing)
    assert error.code == code
    assert len(str(error)) < 400
    assert str(error).isprintable()
    assert encode(Refused.of(error))
    server.close()


@pytest.mark.parametrize(
    "after",
    [
        pytest.param("Thu, 31 Dec 99999999999 23:59:59 GMT", id="year"),
        pytest.param("Thu, 31 Dec 99999999999999999999 23:59:59 GMT", id="year-beyond-64-bit"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 +99999999999999", id="zone"),
    ],
)
def test_a_time_to_come_back_at_that_never_comes_says_nothing(start: Start, after: str) -> None:
    head = f"HTTP/1.1 503 Busy\r\nRetry-After: {after}\r\nContent-Length: 0\r\n\r\n"
    server = ServerClient(start(iter([head.encode()])))
    error = outcome(lambda: server.heartbeat(SESSION, BEAT))
    assert isinstance(error, Retryable)
    assert (error.code, error.after_s) == ("E-BUSY", None)
    server.close()


def test_what_no_text_can_hold_is_no_answer(start: Start) -> None:
    said = schema.dumps(BindAnswer(binding="b", access_token="t", entry_url="https://x/", server_ms=0))
    said = said.replace(b"https://x/", b"https://x/\\udc00")
    server = ServerClient(start(iter([HEAD % len(said) + said])))
    error = outcome(lambda: server.bind(SESSION, BindRequest(tokens=b"x" * 10, signing_key=b"k" * 32)))
    assert isinstance(error, Retryable)
    assert error.code == "E-ANSWER"
    server.close()


@pytest.mark.parametrize("token", ["a\r\nb", "\u20ac", "a\nX: 1"])
def test_a_token_that_can_not_be_sent_is_one_of_our_errors(start: Start, token: str) -> None:
    server = ServerClient(start(iter([HEAD % 2 + b"{}"])))
    server.use_token(token)
    assert isinstance(outcome(lambda: server.heartbeat(SESSION, BEAT)), FairlockError)
    server.close()


@pytest.mark.parametrize("url", ["http://[::1", "https://", "http://127.0.0.1:99999", "https://exa mple/"])
def test_what_is_no_address_is_one_of_our_errors(url: str) -> None:
    server = ServerClient(url)
    assert isinstance(outcome(lambda: server.heartbeat(SESSION, BEAT)), FairlockError)
    server.close()

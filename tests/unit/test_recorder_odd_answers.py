"""Whatever answers in a server's place, and whatever can't be sent: it is one of our errors, and comes in time."""

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from app.contract.errors import FairlockError, Retryable
from app.contract.session import SessionState
from app.contract.wire import BindRequest, Heartbeat
from app.recorder import answer_reading
from app.recorder.client import ServerClient
from tests.unit.capture_parts import SESSION

BEAT = Heartbeat(state=SessionState.RUNNING, cookie=None, head=bytes(32), records=0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
DEADLINE_S = 60.0
Start = Callable[[Iterator[bytes]], str]


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
                    line.recv(65_536)
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


def test_an_answer_without_end_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_reading, "MOST", 1_000)
    server = ServerClient(start(iter([HEAD % 1_001 + b'"' + b"x" * 999 + b'"'])))
    assert "more than 1000 bytes" in str(outcome(lambda: server.heartbeat(SESSION, BEAT)))
    server.close()


def test_what_nests_without_end_is_no_answer(start: Start) -> None:
    server = ServerClient(start(iter([HEAD % 100_000 + b"[" * 100_000])))
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

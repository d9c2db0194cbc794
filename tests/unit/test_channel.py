"""The channel between processes: typed, never blocking, and sure to notice a peer that is gone."""

import multiprocessing
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from app.channel import CAPACITY, FIRST_WORD_S, SILENCE_S, TICK_S, Channel, Silence, decode, encode
from app.contract import canonical
from app.contract.actions import Action, ActionKind
from app.contract.errors import IntegrityError
from app.contract.incidents import IncidentKind
from app.contract.session import SessionState
from app.contract.times import Instant
from app.messages import ActionArrived, CookieSeen, Finish, OpenLink, ProcessesFound, ProcessInfo, Report, StateIs

DEADLINE_S = 60.0


class Side:
    """One end of a pipe and what came out of it."""

    def __init__(self, connection: "Connection[bytes, bytes]", name: str) -> None:
        self.connection = connection
        self.channel = Channel(connection, name)
        self.messages: list[object] = []
        self.arrived = threading.Semaphore(0)
        self.closed = threading.Event()
        self.closings = 0

    def start(self) -> None:
        self.channel.start(self._on_message, self._on_closed)

    def _on_message(self, message: object) -> None:
        self.messages.append(message)
        self.arrived.release()

    def _on_closed(self) -> None:
        self.closings += 1
        self.closed.set()


@pytest.fixture
def sides() -> Iterator[tuple[Side, Side]]:
    one, two = multiprocessing.Pipe(duplex=True)
    left, right = Side(one, "left"), Side(two, "right")
    yield left, right
    for side in (left, right):
        side.channel.close()


@pytest.mark.parametrize(
    "message",
    [
        OpenLink(link="fairlock://exam", program_token=b"\x00\xff"),
        StateIs(state=SessionState.RUNNING, why="grün"),
        Report(
            kind=IncidentKind.PHONE,
            start=Instant(mono_ns=1, utc_ms=2),
            end=Instant(mono_ns=3, utc_ms=4),
            source="x",
            facts={"a": "b"},
        ),
        ProcessesFound(processes=(ProcessInfo(pid=1, name="a", path="/a", rule="r"),)),
        ActionArrived(action=Action(id="1", session="s", kind=ActionKind.PAUSE, arguments={}, issuer="e", issued_ms=1)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_every_kind_of_field_survives_the_way(message: object, sides: tuple[Side, Side]) -> None:
    left, right = sides
    left.start()
    right.start()
    left.channel.send(message)
    assert right.arrived.acquire(timeout=DEADLINE_S)
    assert right.messages == [message]


def test_order_is_kept_in_both_directions(sides: tuple[Side, Side]) -> None:
    left, right = sides
    left.start()
    right.start()
    for number in range(100):
        left.channel.send(CookieSeen(value=f"l{number}"))
        right.channel.send(CookieSeen(value=f"r{number}"))
    for _ in range(100):
        assert left.arrived.acquire(timeout=DEADLINE_S)
        assert right.arrived.acquire(timeout=DEADLINE_S)
    assert right.messages == [CookieSeen(value=f"l{number}") for number in range(100)]
    assert left.messages == [CookieSeen(value=f"r{number}") for number in range(100)]


def test_what_is_not_a_message_is_not_sent() -> None:
    with pytest.raises(TypeError, match="Instant"):
        encode(Instant(mono_ns=1, utc_ms=1))


@pytest.mark.parametrize(
    "data",
    [
        canonical.dumps({"body": {}, "type": "Shutdown"}),
        canonical.dumps({"body": {"reason": 1}, "type": "Finish"}),
        canonical.dumps({"body": {"reason": "a", "more": 1}, "type": "Finish"}),
        canonical.dumps({"type": "RunChecks"}),
        b'{"type":"Finish", "body":{"reason":"a"}}',
        b"\x80\x04cposix\nsystem\n.",
    ],
    ids=["unknown type", "wrong type of a field", "unknown field", "no body", "not canonical", "pickle"],
)
def test_a_message_that_breaks_the_rules_closes_the_channel(data: bytes, sides: tuple[Side, Side]) -> None:
    with pytest.raises(IntegrityError):
        decode(data)
    left, right = sides
    right.start()
    left.connection.send_bytes(data)
    assert right.closed.wait(DEADLINE_S)
    assert right.messages == []
    assert not right.channel.is_open


def test_end_of_file_closes_the_other_side_once(sides: tuple[Side, Side]) -> None:
    left, right = sides
    right.start()
    left.connection.close()
    assert right.closed.wait(DEADLINE_S)
    right.channel.send(Finish(reason="lost, and that is no error"))
    assert right.closings == 1


def test_close_delivers_what_was_sent_before_it_and_tells_only_the_other_side(sides: tuple[Side, Side]) -> None:
    left, right = sides
    left.start()
    right.start()
    for number in range(50):
        left.channel.send(CookieSeen(value=str(number)))
    left.channel.close()
    assert right.closed.wait(DEADLINE_S)
    assert len(right.messages) == 50
    assert left.closings == 0


def test_send_does_not_block_when_the_other_side_takes_nothing(sides: tuple[Side, Side]) -> None:
    left, right = sides
    left.start()
    # Nobody reads at the right: the pipe fills, then the outbox, then the peer counts as dead.
    for _ in range(3 * CAPACITY):
        left.channel.send(CookieSeen(value="x" * 10_000))
    assert left.closed.wait(DEADLINE_S)
    assert left.closings == 1
    assert right.messages == []


def test_a_handler_that_fails_closes_the_channel(sides: tuple[Side, Side]) -> None:
    left, right = sides
    closed = threading.Event()

    def fail(message: object) -> None:
        raise RuntimeError("handler")

    right.channel.start(fail, closed.set)
    left.connection.send_bytes(encode(Finish(reason="x")))
    assert closed.wait(DEADLINE_S)


def test_close_may_be_called_twice_and_from_a_callback(sides: tuple[Side, Side]) -> None:
    left, right = sides
    left.start()
    right.channel.start(lambda _message: right.channel.close(), right.closed.set)
    left.channel.send(Finish(reason="x"))
    assert left.closed.wait(DEADLINE_S)
    right.channel.close()
    assert not right.closed.is_set()


def test_heartbeats_keep_a_silent_channel_open(sides: tuple[Side, Side]) -> None:
    left, right = sides
    left.start()
    data = right.connection.recv_bytes()
    assert decode(data) is None


def _silent_ticks(silence: Silence, start_s: float, step_s: float, count: int) -> float:
    seconds = 0.0
    for number in range(1, count + 1):
        seconds = silence.tick(start_s + number * step_s, heard=False)
    return seconds


def test_silence_adds_up_and_ends_with_a_word() -> None:
    silence = Silence(100.0)
    assert _silent_ticks(silence, 100.0, TICK_S, 20) == pytest.approx(SILENCE_S)
    assert silence.tick(105.5, heard=True) == 0.0
    assert silence.tick(105.75, heard=False) == pytest.approx(TICK_S)


def test_a_suspended_machine_is_not_a_dead_peer() -> None:
    silence = Silence(100.0)
    assert silence.tick(100.25, heard=False) == pytest.approx(0.25)
    assert silence.tick(3_700.25, heard=False) < SILENCE_S
    assert silence.tick(3_700.5, heard=True) == 0.0


def test_a_side_that_still_starts_is_given_more_time_than_one_that_spoke() -> None:
    silence = Silence(100.0)
    assert _silent_ticks(silence, 100.0, TICK_S, 100) == pytest.approx(25.0)
    assert silence.seconds < silence.limit_s == FIRST_WORD_S
    silence.tick(125.25, heard=True)
    assert silence.limit_s == SILENCE_S
    silence.tick(125.5, heard=False)
    assert silence.limit_s == SILENCE_S


def test_the_channel_waits_for_the_first_word_and_then_for_the_heartbeat(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.channel.SILENCE_S", 0.0)
    left, right = sides
    right.start()
    assert not right.closed.wait(3 * TICK_S), "it said nothing yet, and may still be starting"
    left.connection.send_bytes(encode(Finish(reason="awake")))
    assert right.closed.wait(DEADLINE_S)
    assert right.messages == [Finish(reason="awake")]

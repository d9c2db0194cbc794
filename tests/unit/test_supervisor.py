"""The supervisor: real child processes that obey, die, hang and refuse to end."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import pytest

from app.channel import Channel
from app.messages import CookieSeen, Finish
from app.supervisor import MAX_RESTARTS, RESTART_WINDOW_S, Child, RestartWindow, Supervisor

DEADLINE_S = 60.0


def echo(connection: "Connection[bytes, bytes]", greeting: str) -> None:
    """A child that says hello, answers everything, and leaves when the channel closes."""
    gone = threading.Event()
    channel = Channel(connection, "child")
    channel.send(CookieSeen(value=greeting))
    channel.start(channel.send, gone.set)
    gone.wait()
    channel.close()


def deaf(connection: "Connection[bytes, bytes]") -> None:
    """A child that ignores the end of its channel."""
    connection.send_bytes(b'{"body":{"value":"up"},"type":"CookieSeen"}')
    time.sleep(120)


def stubborn(connection: "Connection[bytes, bytes]") -> None:
    """A child that ignores the polite signal as well."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    deaf(connection)


def doomed(connection: "Connection[bytes, bytes]") -> None:
    """A child that ends at once."""


class Heard:
    """What the callbacks were told."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.messages: list[object] = []
        self.events: list[str] = []
        self.children: list[Child] = []

    def message(self, message: object) -> None:
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    def event(self, name: str, child: Child | None = None) -> None:
        with self.changed:
            self.events.append(name)
            self.children += [child] if child else []
            self.changed.notify_all()

    def wait(self, condition: Callable[["Heard"], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), DEADLINE_S), (self.messages, self.events)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    supervisor.stop(0.0)


def _spawn(supervisor: Supervisor, heard: Heard, target: Callable[..., object], *args: object) -> Child:
    return supervisor.spawn("kid", target, *args, on_message=heard.message, on_closed=lambda: heard.event("closed"))


def _spawn_again(supervisor: Supervisor, heard: Heard, target: Callable[..., object], *args: object) -> Child:
    return supervisor.spawn(
        "kid",
        target,
        *args,
        on_message=heard.message,
        on_closed=lambda: heard.event("closed"),
        on_restarted=lambda child: heard.event("restarted", child),
        on_given_up=lambda: heard.event("given up"),
    )


def test_a_child_gets_its_arguments_talks_and_ends_when_asked(supervisor: Supervisor) -> None:
    heard = Heard()
    child = _spawn(supervisor, heard, echo, "hello")
    child.send(Finish(reason="x"))
    heard.wait(lambda h: len(h.messages) == 2)
    assert heard.messages == [CookieSeen(value="hello"), Finish(reason="x")]
    assert supervisor.stop(DEADLINE_S) == {"kid": "exited"}
    assert child.process.exitcode == 0
    assert heard.events == []


def test_a_killed_child_is_noticed_and_started_again(supervisor: Supervisor) -> None:
    heard = Heard()
    child = _spawn_again(supervisor, heard, echo, "hello")
    heard.wait(lambda h: len(h.messages) == 1)
    child.process.kill()
    heard.wait(lambda h: h.events == ["closed", "restarted"])
    assert heard.children[0].process.pid != child.process.pid
    heard.children[0].send(Finish(reason="again"))
    heard.wait(lambda h: Finish(reason="again") in h.messages)


def test_without_a_wish_to_restart_a_dead_child_stays_dead(supervisor: Supervisor) -> None:
    heard = Heard()
    _spawn(supervisor, heard, doomed)
    heard.wait(lambda h: h.events == ["closed"])
    assert supervisor.stop(0.0) == {}


def test_a_child_that_dies_again_and_again_is_given_up(supervisor: Supervisor) -> None:
    heard = Heard()
    _spawn_again(supervisor, heard, doomed)
    heard.wait(lambda h: "given up" in h.events)
    assert heard.events.count("restarted") == MAX_RESTARTS
    assert heard.events.count("closed") == MAX_RESTARTS + 1


@pytest.mark.parametrize(("target", "how", "patience_s"), [(deaf, "terminated", DEADLINE_S), (stubborn, "killed", 0.2)])
def test_a_child_that_does_not_end_is_ended(
    target: Callable[..., object],
    how: str,
    patience_s: float,
    supervisor: Supervisor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.supervisor.TERMINATE_S", patience_s)  # a busy machine takes longer to end who obeys
    monkeypatch.setattr("app.supervisor.KILL_S", DEADLINE_S)
    heard = Heard()
    child = _spawn(supervisor, heard, target)
    heard.wait(lambda h: len(h.messages) == 1)
    assert supervisor.stop(0.1) == {"kid": how}
    assert not child.process.is_alive()


def test_the_window_forgets_old_restarts() -> None:
    window = RestartWindow(limit=2, window_s=60.0)
    assert window.allow(0.0)
    assert window.allow(30.0)
    assert not window.allow(59.0)
    assert window.allow(61.0)
    assert not window.allow(62.0)
    assert (MAX_RESTARTS, RESTART_WINDOW_S) == (3, 60.0)

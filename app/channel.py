"""A typed duplex pipe between two of the processes, with a heartbeat in both directions.

Messages are the dataclasses of ``app.messages``, carried as canonical JSON ``{"body": …, "type": ClassName}``; nothing
is unpickled, and a type that is not in ``app.messages`` is refused. Two threads serve a channel: ``<name>-reader``,
in which both callbacks run, and ``<name>-writer``. ``send`` never blocks, so any thread may call it, a GUI's too.
"""

import dataclasses
import inspect
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import app.messages
from app.contract import canonical, schema
from app.contract.errors import IntegrityError, Outcome
from app.contract.legible import legible_json
from app.mailbox import Bounded, Closed

CAPACITY = 256
HEARTBEAT_S = 1.0
SILENCE_S = 5.0
FIRST_WORD_S = 30.0
"""Until the other side was heard for the first time: a new process loads its libraries before it can speak."""
TICK_S = 0.25
FLUSH_S = 1.0
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

_PING = canonical.dumps({"body": {}, "type": "Ping"})
_TYPES: Mapping[str, type] = {
    name: cls
    for name, cls in inspect.getmembers(app.messages, inspect.isclass)
    if dataclasses.is_dataclass(cls) and cls.__module__ == app.messages.__name__
}
_log = logging.getLogger("fairlock.channel")


class Pipe(Protocol):
    """One end of a pipe between two processes: of ``multiprocessing``, whose class for it is another on Windows."""

    @property
    def closed(self) -> bool:
        """Whether this end was closed."""
        ...

    def close(self) -> None:
        """Close this end."""
        ...

    def fileno(self) -> int:
        """Return the number by which the system knows it."""
        ...

    def poll(self, timeout: float | None = ..., /) -> bool:
        """Whether something to receive came within ``timeout`` seconds."""
        ...

    def recv_bytes(self, maxlength: int | None = ..., /) -> bytes:
        """Receive one message. Raises ``EOFError`` when the other end is gone, ``OSError`` if it is too long."""
        ...

    def send_bytes(self, buf: bytes, /) -> None:
        """Send one message."""
        ...


def encode(message: object) -> bytes:
    """Return the bytes of a message of ``app.messages``; raises ``TypeError`` for anything else.

    Any text in it may be the system's, so those that are no UTF-8 are made legible: a message must not stay unsaid.
    """
    name = type(message).__name__
    if _TYPES.get(name) is not type(message):
        raise TypeError(f"{name} is not a message")
    body = schema.to_json(message)
    try:
        return canonical.dumps({"body": body, "type": name})
    except UnicodeEncodeError:
        return canonical.dumps({"body": legible_json(body), "type": name})


def decode(data: bytes) -> object | None:
    """Return the message in ``data``, ``None`` for a heartbeat; raises ``IntegrityError(BAD_FORMAT)``."""
    if data == _PING:
        return None
    value = canonical.loads(data)
    if not isinstance(value, Mapping) or set(value) != {"body", "type"}:
        raise IntegrityError(Outcome.BAD_FORMAT, "a message has a type and a body")
    cls = _TYPES.get(str(value["type"]))
    if cls is None:
        raise IntegrityError(Outcome.BAD_FORMAT, f"unknown message {value['type']!r}")
    message: object = schema.from_json(cls, value["body"])
    return message


class Silence:
    """How long the other side has said nothing, as far as this side was awake to hear it.

    Each tick counts for at most twice its usual length: when the machine was suspended, or this process was stopped
    or starved, the gap between two ticks says nothing about the other side.
    """

    def __init__(self, now_s: float) -> None:
        self._last_tick = now_s
        self._was_heard = False
        self.seconds = 0.0

    @property
    def limit_s(self) -> float:
        """How long it may last before the other side counts as gone."""
        return SILENCE_S if self._was_heard else FIRST_WORD_S

    def tick(self, now_s: float, *, heard: bool) -> float:
        """Note that ``now_s`` (monotonic seconds) was reached; return the seconds of silence."""
        elapsed = min(max(0.0, now_s - self._last_tick), 2 * TICK_S)
        self._last_tick = now_s
        self._was_heard = self._was_heard or heard
        self.seconds = 0.0 if heard else self.seconds + elapsed
        return self.seconds


class Channel:
    """One end of a pipe. Create it, ``start`` it once, ``send`` from any thread, ``close`` it once."""

    def __init__(self, connection: Pipe, name: str) -> None:
        self._connection = connection
        self.name = name
        self._outbox: Bounded[bytes] = Bounded(CAPACITY)
        self._closing = threading.Event()
        self._broken = threading.Event()
        self._descriptor = threading.Lock()
        self._on_message: Callable[[object], None] = lambda _message: None
        self._on_closed: Callable[[], None] = lambda: None
        self._reader = threading.Thread(target=self._read, name=f"{name}-reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name=f"{name}-writer", daemon=True)

    def start(self, on_message: Callable[[object], None], on_closed: Callable[[], None]) -> None:
        """Serve the pipe from now on.

        ``on_message`` gets each message. ``on_closed`` is called once if the other side is gone: end of file, 5 s
        without a heartbeat (30 s before the first one), a message that breaks the rules, or ``CAPACITY`` messages that
        it did not take.
        It is not called after ``close``. Both run in the reader thread.
        """
        self._on_message, self._on_closed = on_message, on_closed
        self._reader.start()
        self._writer.start()

    @property
    def is_open(self) -> bool:
        """Whether messages can still be sent."""
        return not (self._closing.is_set() or self._broken.is_set())

    def send(self, message: object) -> None:
        """Queue ``message``; never blocks. What is sent to a side that is gone is lost, and ``on_closed`` says so."""
        data = encode(message)
        if self.is_open and not self._outbox.offer(data) and self.is_open:
            self._break("the other side takes no messages")

    def close(self) -> None:
        """Send what is queued (for at most a second), then close. May be called from any thread, and twice."""
        self._closing.set()
        self._outbox.close()
        if self._reader.ident is None:
            self._connection.close()
            return
        if self._writer.is_alive() and threading.current_thread() is not self._writer:
            self._writer.join(FLUSH_S)
        self._shut_down()
        if self._reader.is_alive() and threading.current_thread() is not self._reader:
            self._reader.join(FLUSH_S)

    def _break(self, why: str, level: int = logging.WARNING) -> None:
        if self.is_open:
            _log.log(level, "channel %s: %s", self.name, why)
        self._broken.set()
        self._outbox.close()

    def _read(self) -> None:
        try:
            self._listen()
        except (EOFError, OSError):
            self._break("the other side is gone", logging.INFO)
        except IntegrityError as error:
            self._break(f"refused: {error}")
        except Exception:  # noqa: BLE001  (a thread's edge: a handler's fault must not leave a dead channel open)
            _log.exception("channel %s: handling a message failed", self.name)
            self._break("a message could not be handled")
        if not self._closing.is_set():
            self._on_closed()
        self._shut_down()
        self._writer.join(FLUSH_S)
        # A writer that can't be woken (Windows) keeps its descriptor until the process ends.
        self._shut_down(forget=not self._writer.is_alive())

    def _listen(self) -> None:
        silence = Silence(time.monotonic())
        while self.is_open:
            heard = self._connection.poll(TICK_S)
            if heard:
                self._receive()
            if silence.tick(time.monotonic(), heard=heard) >= silence.limit_s:
                self._break(f"no heartbeat for {silence.limit_s:.0f} s")

    def _receive(self) -> None:
        message = decode(self._connection.recv_bytes(MAX_MESSAGE_BYTES))
        if message is not None and not self._closing.is_set():
            self._on_message(message)

    def _write(self) -> None:
        try:
            while True:
                self._connection.send_bytes(self._outbox.take(HEARTBEAT_S) or _PING)
        except Closed:
            return
        except OSError:
            self._break("the other side is gone", logging.INFO)

    def _shut_down(self, *, forget: bool = False) -> None:
        """Wake both threads if they are inside a system call; with ``forget`` also close the connection."""
        # Under a lock: the number of a closed descriptor may already belong to somebody else.
        with self._descriptor:
            if self._connection.closed:
                return
            _shut_socket_down(self._connection.fileno())
            if forget:
                self._connection.close()


def _shut_socket_down(descriptor: int) -> None:
    """End both directions of a socket; a no-op where the pipe is none (Windows)."""
    if os.name != "posix":
        return
    try:
        duplicate = os.dup(descriptor)
    except OSError:
        return
    try:
        with socket.socket(fileno=duplicate) as pipe:
            pipe.shutdown(socket.SHUT_RDWR)
    except OSError:
        return

"""The message bus of the desktop session: one connection, calls of methods that take texts, and their answers.

Used by one thread at a time. It speaks as little of D-Bus as asking a screen saver needs, because the system's own
programs (``busctl``, ``gdbus``) hang up after each call, and what was asked for ends with the connection. Never starts
a bus or a service.

Source: the D-Bus specification, "Authentication Protocol" and "Message Bus Messages".
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from urllib.parse import unquote

from app.contract.errors import Unsupported
from lockdown.capabilities import unsupported
from lockdown.linux_system.bus_messages import HEAD_SIZE, MOST_BYTES, Answer, Service, answer, call, sizes, text_at

LIMIT_S = 2.0
"""For a connection and all its calls, or for those since ``go_on``: somebody may wait until they are over."""
BUS = Service(name="org.freedesktop.DBus", path="/org/freedesktop/DBus", interface="org.freedesktop.DBus")


class SessionBus:
    """A connection. Every method raises ``Unsupported``, also when the bus has not answered within ``LIMIT_S`` seconds.

    ``environment`` says where the bus is. The system closes the connection when this process is gone.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._deadline_s = monotonic() + LIMIT_S
        self._serial = 0
        self._socket = _connected(_address(environment))
        try:
            self._send(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
            if not self._line().startswith(b"OK "):
                raise unsupported("The message bus lets nobody in.")
            self._send(b"BEGIN\r\n")
            self.call(BUS, "Hello")
        except Unsupported:
            self.close()
            raise

    def go_on(self) -> None:
        """Give the calls that follow, together, ``LIMIT_S`` seconds from now."""
        self._deadline_s = monotonic() + LIMIT_S

    def owner(self, name: str) -> str:
        """Return which connection has ``name`` now, as the bus calls it."""
        return text_at(self.call(BUS, "GetNameOwner", name), 0)

    def call(self, service: Service, method: str, *texts: str) -> bytes:
        """Call ``method`` with ``texts`` and return the body of its answer."""
        self._serial += 1
        self._send(call(self._serial, service, method, texts))
        while (got := self._answer()).reply_to != self._serial:
            pass  # a signal, or what comes too late
        if got.error:
            raise unsupported(f"{service.name} refuses ({got.error}).")
        return got.body

    def close(self) -> None:
        """Hang up. Idempotent."""
        self._socket.close()

    def _answer(self) -> Answer:
        head = self._exactly(HEAD_SIZE)
        fields, body = sizes(head)
        return answer(head, self._exactly(fields), self._exactly(body))

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n") and len(line) < MOST_BYTES:
            line += self._exactly(1)
        return line

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            with self._in_time():
                some = self._socket.recv(size - len(data))
            if not some:
                raise unsupported("The message bus hung up.")
            data += some
        return data

    def _send(self, data: bytes) -> None:
        with self._in_time():
            self._socket.sendall(data)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        left_s = self._deadline_s - monotonic()
        if left_s <= 0:
            raise unsupported("The message bus of the desktop does not answer.")
        try:
            self._socket.settimeout(left_s)
            yield
        except OSError as error:
            raise _unreachable(error) from error


def _unreachable(error: OSError) -> Unsupported:
    return unsupported(f"The message bus of the desktop can't be reached ({error.strerror or error}).")


def _address(environment: Mapping[str, str]) -> str:
    """Return where the first bus listens that the environment names, as ``socket.connect`` wants it."""
    folder = environment.get("XDG_RUNTIME_DIR", "")
    named = environment.get("DBUS_SESSION_BUS_ADDRESS") or (f"unix:path={folder}/bus" if folder else "")
    for one in named.split(";"):
        transport, _, rest = one.partition(":")
        keys = dict(pair.partition("=")[::2] for pair in rest.split(","))
        if transport == "unix" and "path" in keys:
            return unquote(keys["path"])
        if transport == "unix" and "abstract" in keys:
            return "\0" + unquote(keys["abstract"])
    raise unsupported("There is no message bus here.")


def _connected(address: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(LIMIT_S)
        connection.connect(address)
    except OSError as error:
        connection.close()
        raise _unreachable(error) from error
    return connection

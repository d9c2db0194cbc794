"""As much of the Wayland wire protocol as copying the screen needs: requests out, events in, over one socket.

Used by the screen's reader thread only. Binds globals and passes messages on; knows no interface but the core's two.
The format: 32-bit words in the machine's order; object, then size and opcode, then arguments
(https://wayland.freedesktop.org/docs/html/ch04.html).
"""

import array
import importlib
import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from capture.sources import SourceLost

PATIENCE_S = 5.0
_DISPLAY = 1
_HEADER = struct.Struct("=II")
_LONGEST = 1 << 16
_ERROR, _SYNC, _GET_REGISTRY, _BIND = 0, 0, 1, 0
_GLOBAL, _GLOBAL_REMOVE = 0, 1

Handler = Callable[[int, bytes], None]


class Connection:
    """A connection to the compositor at ``path``; raises ``SourceLost`` when it is not there or goes away."""

    def __init__(self, path: Path) -> None:
        sockets: Any = importlib.import_module("socket")  # its UNIX part is not there on every system
        self._rights = (sockets.SOL_SOCKET, sockets.SCM_RIGHTS)
        self._socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        self._socket.settimeout(PATIENCE_S)
        self._handlers: dict[int, Handler] = {_DISPLAY: self._display_event}
        self._last = _DISPLAY
        self._received = b""
        self.globals: dict[int, str] = {}
        """Number to interface of everything the compositor offers now."""
        try:
            self._socket.connect(str(path))
            self._registry = self.new(self._registry_event)
            self.send(_DISPLAY, _GET_REGISTRY, self._registry)
            self.wait_all()
        except OSError as error:
            self.close()
            raise SourceLost(f"the compositor can't be reached ({error.strerror or error})") from error
        except SourceLost:
            self.close()
            raise

    def close(self) -> None:
        """Let go of everything; twice is fine."""
        self._socket.close()

    def new(self, handler: Handler) -> int:
        """Return a new object's id; ``handler`` is called with the opcode and arguments of its events."""
        self._last += 1
        self._handlers[self._last] = handler
        return self._last

    def forget(self, number: int) -> None:
        """Expect no more events of an object."""
        self._handlers.pop(number, None)

    def bind(self, name: int, version: int, handler: Handler = lambda _opcode, _arguments: None) -> int:
        """Return a new object for the global ``name``."""
        number = self.new(handler)
        interface = self.globals[name].encode() + b"\0"
        padded = interface + b"\0" * (-len(interface) % 4)
        arguments = struct.pack("=II", name, len(interface)) + padded + struct.pack("=II", version, number)
        self._write(self._registry, _BIND, arguments)
        return number

    def send(self, number: int, opcode: int, *arguments: int, descriptors: Sequence[int] = ()) -> None:
        """Send a request whose arguments are numbers (objects, unsigned or not) and file ``descriptors``."""
        words = b"".join(struct.pack("=I", argument & 0xFFFFFFFF) for argument in arguments)
        self._write(number, opcode, words, descriptors)

    def wait_all(self) -> None:
        """Return when the compositor has answered everything asked so far."""
        answered: list[int] = []
        callback = self.new(lambda opcode, _arguments: answered.append(opcode))
        self.send(_DISPLAY, _SYNC, callback)
        self.wait_for(lambda: bool(answered))
        self.forget(callback)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Handle events until ``condition`` holds; raises ``SourceLost`` after ``PATIENCE_S`` s of silence."""
        while not condition():
            for number, opcode, arguments in self._read():
                handler = self._handlers.get(number)
                if handler is not None:
                    handler(opcode, arguments)

    def _write(self, number: int, opcode: int, arguments: bytes, descriptors: Sequence[int] = ()) -> None:
        message = _HEADER.pack(number, (_HEADER.size + len(arguments)) << 16 | opcode) + arguments
        beside = [(*self._rights, array.array("i", descriptors))] if descriptors else []
        try:
            sent = self._socket.sendmsg([message], beside)
            self._socket.sendall(message[sent:])
        except OSError as error:
            raise SourceLost(f"the compositor went away ({error.strerror or error})") from error

    def _read(self) -> Iterator[tuple[int, int, bytes]]:
        try:
            received = self._socket.recv(_LONGEST)
        except OSError as error:
            raise SourceLost(f"the compositor does not answer ({error.strerror or error})") from error
        if not received:
            raise SourceLost("the compositor is gone")
        self._received += received
        while len(self._received) >= _HEADER.size:
            number, word = _HEADER.unpack_from(self._received)
            size = word >> 16
            if size < _HEADER.size:
                raise SourceLost("the compositor speaks another language")
            if len(self._received) < size:
                return
            arguments, self._received = self._received[_HEADER.size : size], self._received[size:]
            yield number, word & 0xFFFF, arguments

    def _display_event(self, opcode: int, arguments: bytes) -> None:
        if opcode == _ERROR:
            _, code = _HEADER.unpack_from(arguments)
            raise SourceLost(f"the compositor refused a request (error {code})")

    def _registry_event(self, opcode: int, arguments: bytes) -> None:
        name, length = struct.unpack_from("=II", arguments.ljust(8, b"\0"))
        if opcode == _GLOBAL:
            self.globals[name] = arguments[8 : 8 + length - 1].decode("ascii", "replace")
        elif opcode == _GLOBAL_REMOVE:
            self.globals.pop(name, None)


def socket_path(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return where the compositor listens, or ``None`` if the environment names none."""
    name, folder = environment.get("WAYLAND_DISPLAY", ""), environment.get("XDG_RUNTIME_DIR", "")
    if not name or not (name.startswith("/") or folder):
        return None
    return Path(folder) / name

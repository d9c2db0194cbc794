"""News of new programs from the kernel: the process connector where it answers, else the last process id given out.

The connector (``linux/cn_proc.h``) tells of every fork, program start and change of name on the machine; older kernels
tell only root. A filter in the socket keeps threads and everything else out, so that it wakes nobody. Without it
``/proc/loadavg`` says, for the cost of one small read, whether any process was started since. Opened by the thread
that waits, and closed after it has ended.
"""

import contextlib
import os
import select
import socket
import struct
import time
from array import array
from pathlib import Path

from lockdown.births import Polling

SETTLE_S = 0.05
"""A new process is still its parent's copy for a moment; programs that start together are looked at together."""
ANSWER_S = 0.3

_AF_NETLINK, _CONNECTOR, _ATTACH_FILTER = 16, 11, 26
_GROUP = 1  # CN_IDX_PROC and CN_VAL_PROC
_LISTEN, _IGNORE, _DONE = 1, 2, 3  # PROC_CN_MCAST_LISTEN, PROC_CN_MCAST_IGNORE, NLMSG_DONE
_FORK, _EXEC, _NAME, _ACKNOWLEDGED = 0x1, 0x2, 0x200, 0x0
_HEADERS = 36  # struct nlmsghdr, struct cn_msg
_WHAT, _DATA = _HEADERS, _HEADERS + 16
_LAST_PID = Path("/proc/loadavg")


class NewPrograms:
    """Implements ``Births`` on Linux; with ``events=False`` it does not ask for the kernel's news."""

    def __init__(self, *, events: bool = True) -> None:
        self._wanted = events
        self._polling = Polling()
        self._socket: socket.socket | None = None
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._last_pid = b""
        self._opened = False

    @property
    def tells_all(self) -> bool:
        """Whether the kernel tells."""
        self._open()
        return self._socket is not None

    def wait(self, seconds: float) -> None:
        """Return soon after a program started, and at the latest after ``seconds``."""
        self._open()
        if self._socket is None or self._wake is None:
            self._polling.wait(seconds)
            return
        ready, _, _ = select.select([self._socket, self._wake[0]], [], [], seconds)
        if ready == [self._socket]:
            time.sleep(SETTLE_S)

    def since(self) -> frozenset[int] | None:
        """Return the processes that started or changed their program, ``None`` if that is not known."""
        self._open()
        if self._socket is None:
            return frozenset() if self._nothing_started() else None
        found: set[int] = set()
        try:
            while message := self._socket.recv(4096):
                found.update(_processes(message))
        except BlockingIOError:
            return frozenset(found)
        except OSError:  # ENOBUFS: more happened than the kernel kept
            return None
        return None

    def interrupt(self) -> None:
        """Let ``wait`` return at once."""
        self._polling.interrupt()
        if self._wake is not None:
            with contextlib.suppress(OSError):
                self._wake[1].send(b"!")

    def close(self) -> None:
        """Close the sockets."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                _say(self._socket, _IGNORE)
            self._socket.close()
        for end in self._wake or ():
            end.close()

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self._socket = listen() if self._wanted else None
            self._wake = socket.socketpair() if self._socket is not None else None

    def _nothing_started(self) -> bool:
        try:
            last = _LAST_PID.read_bytes().split()[-1]
        except (OSError, IndexError):
            return False
        same, self._last_pid = last == self._last_pid, last
        return same


def listen() -> socket.socket | None:
    """Return a socket that hears of new programs, or ``None`` where the kernel does not tell us.

    In a container the kernel takes the wish and stays silent, so its acknowledgement is waited for.
    """
    try:
        heard = socket.socket(_AF_NETLINK, socket.SOCK_DGRAM, _CONNECTOR)
    except OSError:
        return None
    try:
        heard.bind((0, _GROUP))
        heard.settimeout(ANSWER_S)
        _say(heard, _LISTEN)
        _await_acknowledgement(heard)
        _only_programs(heard)
        heard.setblocking(False)
    except (OSError, struct.error):
        heard.close()
        return None
    return heard


def _say(heard: socket.socket, wish: int) -> None:
    message = struct.pack("=IIIIHHI", _GROUP, _GROUP, 0, 0, 4, 0, wish)
    heard.send(struct.pack("=IHHII", 16 + len(message), _DONE, 0, 0, os.getpid()) + message)


def _await_acknowledgement(heard: socket.socket) -> None:
    """Raises ``OSError`` (a timeout is one) if it does not come."""
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        (what,) = struct.unpack_from("=I", heard.recv(4096), _WHAT)
        if what == _ACKNOWLEDGED:
            return
    raise TimeoutError


def _processes(message: bytes) -> set[int]:
    try:
        (what,) = struct.unpack_from("=I", message, _WHAT)
        at = _DATA + 8 if what == _FORK else _DATA
        pid, group = struct.unpack_from("=II", message, at)
    except struct.error:
        return set()
    return {group} if what in (_FORK, _EXEC, _NAME) and pid == group else set()


def _only_programs(heard: socket.socket) -> None:
    """Let the kernel keep back what is not a fork, a program start or a change of name, and what threads do."""
    load, equal, equal_to_kept, keep, answer = 0x20, 0x15, 0x1D, 0x07, 0x06
    program = [
        (load, 0, 0, _WHAT),
        (equal, 6, 0, _as_loaded(_FORK)),
        (equal, 1, 0, _as_loaded(_EXEC)),
        (equal, 0, 9, _as_loaded(_NAME)),
        (load, 0, 0, _DATA),  # the first thread of a process has its id
        (keep, 0, 0, 0),
        (load, 0, 0, _DATA + 4),
        (equal_to_kept, 4, 5, 0),
        (load, 0, 0, _DATA + 8),  # of a fork: the child's ids stand after its parent's
        (keep, 0, 0, 0),
        (load, 0, 0, _DATA + 12),
        (equal_to_kept, 0, 1, 0),
        (answer, 0, 0, 0xFFFFFFFF),
        (answer, 0, 0, 0),
    ]
    code = array("B", b"".join(struct.pack("=HBBI", *line) for line in program))
    heard.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("@HP", len(program), code.buffer_info()[0]))


def _as_loaded(number: int) -> int:
    """Return ``number`` as the filter sees it: its words are in network order, the message is in the machine's."""
    return int.from_bytes(struct.pack("=I", number), "big")

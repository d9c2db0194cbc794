"""Brings what the other processes say into the GUI thread, where it becomes signals.

Channels and the supervisor call ``post_*`` in threads of theirs. Those threads never touch Qt (signals emitted from
foreign threads have crashed PySide6): they leave the item in a bounded mailbox and write one byte to a socket that the
GUI thread watches.
"""

import contextlib
import socket
from dataclasses import dataclass

from PySide6.QtCore import QObject, QSocketNotifier, Signal

from app.mailbox import Bounded, Closed

CAPACITY = 256


@dataclass(frozen=True, slots=True)
class _Item:
    what: str
    child: str
    content: object = None


class Bridge(QObject):
    """``child`` is the name of the process; a full mailbox makes the poster wait, nothing is lost."""

    message = Signal(str, object)
    closed = Signal(str)
    restarted = Signal(str, object)
    given_up = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._items: Bounded[_Item] = Bounded(CAPACITY)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._drain)

    def post_message(self, child: str, message: object) -> None:
        """Any thread: ``child`` sent ``message``."""
        self._post(_Item("message", child, message))

    def post_closed(self, child: str) -> None:
        """Any thread: ``child`` is gone."""
        self._post(_Item("closed", child))

    def post_restarted(self, child: str, handle: object) -> None:
        """Any thread: ``child`` was started again; ``handle`` is the new one."""
        self._post(_Item("restarted", child, handle))

    def post_given_up(self, child: str) -> None:
        """Any thread: ``child`` died too often."""
        self._post(_Item("given_up", child))

    def close(self) -> None:
        """Deliver nothing more; posters return at once."""
        self._notifier.setEnabled(False)
        self._items.close()
        self._writer.close()
        self._reader.close()

    def _post(self, item: _Item) -> None:
        with contextlib.suppress(Closed):
            self._items.put(item)
            # A full socket has woken the GUI thread already; a closed one has nobody to wake.
            with contextlib.suppress(OSError):
                self._writer.send(b"\0")

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._reader.recv(4096):
                pass
        while len(self._items):
            item = self._items.take(0)
            if item is not None:
                self._deliver(item)

    def _deliver(self, item: _Item) -> None:
        match item.what:
            case "message":
                self.message.emit(item.child, item.content)
            case "closed":
                self.closed.emit(item.child)
            case "restarted":
                self.restarted.emit(item.child, item.content)
            case "given_up":
                self.given_up.emit(item.child)

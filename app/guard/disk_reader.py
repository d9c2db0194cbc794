"""A thread of its own for what takes a disk long: neither the watch nor the closer waits for one."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from app.mailbox import Bounded, Closed

JOIN_S = 2.0

T = TypeVar("T")


class DiskReader(Generic[T]):
    """Calls ``read`` with each item, in order, in the thread ``name``, which starts with the first one.

    ``read`` must not raise: the thread would end.
    """

    def __init__(self, name: str, capacity: int, read: Callable[[T], None]) -> None:
        self._name, self._read = name, read
        self._waiting: Bounded[T] = Bounded(capacity)
        self._thread: threading.Thread | None = None

    def offer(self, item: T) -> bool:
        """Have ``item`` read; ``False`` if ``capacity`` wait already, or after ``stop``. For one thread."""
        if not self._waiting.offer(item):
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return True

    def stop(self) -> None:
        """Take nothing more, and wait a while until what is left was read."""
        self._waiting.close()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        try:
            while True:
                item = self._waiting.take()
                if item is not None:
                    self._read(item)
        except Closed:
            return

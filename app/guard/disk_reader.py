"""A thread of its own for what takes a disk long: neither the watch nor the closer waits for one."""

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from app.mailbox import Bounded, Closed

JOIN_S = 2.0

T = TypeVar("T")
_log = logging.getLogger("fairlock.guard")


class DiskReader(Generic[T]):
    """Calls ``read`` with each item, in order, in the thread ``name``, which starts with the first one.

    What ``read`` raises is logged, and the next item is read.
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

    def stop(self) -> Sequence[T]:
        """Take nothing more, and wait a while until all was read; return what was not begun: a disk stands still."""
        self._waiting.close()
        if self._thread is not None:
            self._thread.join(JOIN_S)
        left = []
        with contextlib.suppress(Closed):
            while (item := self._waiting.take(0)) is not None:
                left.append(item)
        return left

    def _run(self) -> None:
        try:
            while True:
                item = self._waiting.take()
                if item is not None:
                    self._read_one(item)
        except Closed:
            return

    def _read_one(self, item: T) -> None:
        try:
            self._read(item)
        except Exception:  # noqa: BLE001  (a thread's edge: whatever one file does, others wait to be read)
            _log.exception("%s could not read", self._name)

"""The only queues between threads: ``Latest`` and ``Bounded``. Neither can grow, and what is dropped is counted."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The mailbox was closed and holds nothing more."""


class Latest(Generic[T]):
    """Room for one: a newer item replaces the one not yet taken. For detectors, which want now, not all."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self.overwritten = 0

    def put(self, item: T) -> None:
        """Leave ``item``; never blocks."""
        with self._ready:
            if self._item is not None:
                self.overwritten += 1
            self._item = item
            self._ready.notify()

    def take(self, timeout: float | None = None) -> T | None:
        """Return the item, or ``None`` after ``timeout`` seconds; raises ``Closed``."""
        with self._ready:
            self._ready.wait_for(lambda: self._item is not None or self._closed, timeout)
            item, self._item = self._item, None
            if item is None and self._closed:
                raise Closed
            return item

    def close(self) -> None:
        """Let takers leave once it is empty."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()


class Bounded(Generic[T]):
    """Room for ``capacity`` items in order. ``offer`` drops when full and counts; ``put`` blocks."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.capacity = capacity
        self._changed = threading.Condition()
        self._items: deque[T] = deque()
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        with self._changed:
            return len(self._items)

    def offer(self, item: T) -> bool:
        """Append ``item`` if there is room; else count it as dropped and return ``False``. Never blocks."""
        with self._changed:
            if self._closed or len(self._items) >= self.capacity:
                self.dropped += 1
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def put(self, item: T, timeout: float | None = None) -> bool:
        """Append ``item``, waiting for room; ``False`` after ``timeout`` seconds. Raises ``Closed``."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self.capacity or self._closed, timeout)
            if self._closed:
                raise Closed
            if len(self._items) >= self.capacity:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self, timeout: float | None = None) -> T | None:
        """Return the oldest item, or ``None`` after ``timeout`` seconds; raises ``Closed`` once drained."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or self._closed, timeout)
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._closed:
                raise Closed
            return None

    def close(self) -> None:
        """Refuse new items; takers drain what is left and then leave."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

"""Threads of low priority, each taking from one mailbox until it is closed or all are stopped.

Recording and the exam's page come first: where a thread can have a priority of its own, these have a lower one.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from app.mailbox import Bounded, Closed, Latest

_NICENESS = 10
_WAIT_S = 0.2  # how soon a thread notices that it is to stop

T = TypeVar("T")


class Background:
    """Owns the threads; ``add`` before ``start``."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def add(self, name: str, mailbox: Latest[T] | Bounded[T], work: Callable[[T], None]) -> None:
        """Add the thread ``name``, which does ``work`` with each item."""
        self._threads.append(threading.Thread(target=self._run, args=(mailbox, work), name=name, daemon=True))

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, deadline_s: float) -> bool:
        """Stop the threads; ``False`` when one did not end within ``deadline_s`` seconds."""
        self._stopping.set()
        deadline = time.monotonic() + deadline_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, mailbox: Latest[T] | Bounded[T], work: Callable[[T], None]) -> None:
        _stand_back()
        while not self._stopping.is_set():
            try:
                item = mailbox.take(_WAIT_S)
            except Closed:
                return
            if item is not None:
                work(item)


def _stand_back() -> None:
    """Lower this thread's priority, where a thread can have its own; and let its waking up interrupt nobody."""
    setpriority, of_a_thread = getattr(os, "setpriority", None), getattr(os, "PRIO_PROCESS", None)
    if setpriority is not None:
        # Linux takes a thread's id here; elsewhere the call refuses, and nothing is lost.
        with suppress(OSError):
            setpriority(of_a_thread, threading.get_native_id(), _NICENESS)
    names = ("sched_setscheduler", "sched_param", "SCHED_BATCH")
    schedule, parameters, batch = (getattr(os, name, None) for name in names)
    if schedule is not None and parameters is not None:
        with suppress(OSError):
            schedule(threading.get_native_id(), batch, parameters(0))

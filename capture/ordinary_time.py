"""Takes from threads the real-time priority that an encoder's library gave itself; runs in whatever thread asks.

SVT-AV1 makes the thread that opens it, and its own, real-time ones of the highest priority wherever the system allows
it: for root, and for who may have ``rtprio 99`` (measured with 4.1; ``EbThreads.c``). Such a thread leaves a processor
to nobody else, neither to the exam nor to the desktop, and whatever it starts is like it. Never gives a thread more
than it had.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_THREADS = Path("/proc/self/task")
_HIGHEST = 99
"""Of the real-time priorities; sound servers and what else has a reason for one take less."""


@contextmanager
def ordinary_time() -> Iterator[None]:
    """Run the block; what became a real-time thread of the highest priority in it is an ordinary one afterwards.

    Only Linux lets a thread ask about the others; elsewhere nothing is done.
    """
    before = _highest()
    try:
        yield
    finally:
        for thread in _highest() - before:
            with suppress(OSError):  # it ended meanwhile
                _of_system("sched_setscheduler")(thread, _of_system("SCHED_OTHER"), _of_system("sched_param")(0))


def _highest() -> set[int]:
    """Return the ids of this process' threads that nobody interrupts."""
    found = set[int]()
    for thread in (int(entry.name) for entry in (_THREADS.iterdir() if _THREADS.is_dir() else ())):
        with suppress(OSError):
            if _of_system("sched_getparam")(thread).sched_priority >= _HIGHEST:
                found.add(thread)
    return found


def _of_system(name: str) -> Any:
    """Return what ``os`` has where there are such threads."""
    return getattr(os, name)

"""When to look for new programs, and at which. Used by the guard's watch of programs, from its thread.

Linux tells of each new program (``lockdown.linux_programs.births``); elsewhere the list is polled.
"""

import threading
from typing import Protocol


class Births(Protocol):
    """Says when a program may have started."""

    def wait(self, seconds: float) -> None:
        """Return as soon as a program may have started, and at the latest after ``seconds``."""
        ...

    def since(self) -> frozenset[int] | None:
        """Return the processes that started or changed their program since the last call.

        ``None`` means: not known, compare the list of all processes.
        """
        ...

    def interrupt(self) -> None:
        """Let ``wait`` return at once from now on; any thread may call it."""
        ...

    def close(self) -> None:
        """Give back what it holds; nobody waits any more."""
        ...


class Polling:
    """Knows nothing: whoever asks has to compare the list of processes."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait."""
        self._interrupted.wait(seconds)

    def since(self) -> frozenset[int] | None:
        """Return ``None``."""
        return None

    def interrupt(self) -> None:
        """Let ``wait`` return at once."""
        self._interrupted.set()

    def close(self) -> None:
        """Nothing is held."""

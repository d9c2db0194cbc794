"""When to look for new programs, and at which. Used by the guard's watch of programs, from its thread.

Linux tells of each new program (``lockdown.linux_programs.births``); elsewhere the list is polled.
"""

import threading
from typing import Protocol, runtime_checkable


@runtime_checkable
class Alert(Protocol):
    """Something that knows when it is time to look, and is told when nobody will look any more."""

    def wait(self, seconds: float) -> None:
        """Return as soon as there may be something to see, and at the latest after ``seconds``."""
        ...

    def interrupt(self) -> None:
        """Let ``wait`` return at once from now on; any thread may call it."""
        ...

    def close(self) -> None:
        """Give back what it holds; nobody waits any more."""
        ...


class Births(Alert, Protocol):
    """Says when a program may have started, and which."""

    @property
    def tells_all(self) -> bool:
        """Whether it tells also of processes that change their program or their name."""
        ...

    def since(self) -> frozenset[int] | None:
        """Return the processes that started or changed their program since the last call.

        ``None`` means: not known, compare the list of all processes.
        """
        ...


class Polling:
    """Knows nothing: whoever asks has to compare the list of processes."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    @property
    def tells_all(self) -> bool:
        """Return that it does not."""
        return False

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

"""One at a time may change the machine or undo a change: a lock beside the restore file.

Used by the guard, the last hand, the next start and ``fairlock restore``. The system drops the lock when its holder
dies. A program that the holder runs (``setxkbmap``) holds it too, until it ends: the change of somebody who was killed
in the middle is over before anybody undoes it, and can't come after the undo.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.contract.errors import UserFacing
from app.exclusive import lock
from app.external import Completed, run_external

PATIENCE_S = 10.0
POLL_S = 0.01


class Claim:
    """The lock file at ``path``; threads of one process wait for each other as well."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._descriptor: int | None = None

    @contextmanager
    def held(self, patience_s: float = PATIENCE_S) -> Iterator[None]:
        """Hold the claim inside the block.

        Raises ``UserFacing(E-RESTORE-BUSY)`` after ``patience_s`` seconds, ``OSError`` if there can be no lock file.
        """
        deadline = time.monotonic() + patience_s
        if not self._turn.acquire(timeout=patience_s):
            raise _busy()
        try:
            descriptor = _open(self._path)
            try:
                _wait(descriptor, deadline)
                self._descriptor = descriptor
                yield
            finally:
                self._descriptor = None
                os.close(descriptor)
        finally:
            self._turn.release()

    def run(self, command: Sequence[str], *, timeout_s: float = 5.0) -> Completed:
        """Run a program (``app.external.run_external``) that holds the claim until it ends, if it is held now."""
        descriptor = self._descriptor
        return run_external(command, timeout_s=timeout_s, keeps=() if descriptor is None else (descriptor,))


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        if not path.exists():
            raise
        # A disk that became read-only: the file of an earlier run can be locked all the same.
        return os.open(path, os.O_RDONLY)


def _wait(descriptor: int, deadline: float) -> None:
    while True:
        try:
            lock(descriptor)
        except OSError as error:
            if time.monotonic() >= deadline:
                raise _busy() from error
            time.sleep(POLL_S)
        else:
            return


def _busy() -> UserFacing:
    return UserFacing(
        "Another part of Fairlock is changing this computer's settings at this moment.",
        advice="Wait a few seconds and run `fairlock restore`.",
        code="E-RESTORE-BUSY",
    )

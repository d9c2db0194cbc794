"""The last hand: a process that undoes the guard's changes should the guard itself be killed, alone or with all others.

It waits at one end of a pipe whose other end only the guard has; that end closes when the guard ends, however it ends.
Then the hand replays what this guard left in the restore file, which is nothing after an orderly end, and is gone.
It has a session of its own, so that what is sent to the process group of the application does not reach it. It holds
nothing else, decides nothing and may be killed without harm: the guard starts another. It never outlives the guard by
more than the replay takes.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from app.channel import Pipe
from app.supervisor import RestartWindow
from lockdown import select
from lockdown.restore import RestoreFile

READY = b"ready"
WAIT_S = 10.0
"""How long a change waits for the hand, once. Longer than it takes to start on a slow machine."""
POLL_S = 0.05
END_S = 5.0

_log = logging.getLogger("fairlock.guard")


class LastHand:
    """The guard's side; main thread only. ``restore`` says which file, and in whose name the changes are made.

    ``cancelled`` says that nobody waits for the exam any more.
    """

    def __init__(self, restore: RestoreFile, cancelled: Callable[[], bool]) -> None:
        self._restore = restore
        self._cancelled = cancelled
        self._context = multiprocessing.get_context("spawn")
        self._window = RestartWindow()
        self._process: BaseProcess | None = None
        self._pipe: Pipe | None = None
        self._is_ready = False

    @property
    def pid(self) -> int | None:
        """Its process id, if it runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it, without waiting. Where that fails the guard goes on alone, and says so in the log."""
        ours, theirs = self._context.Pipe(duplex=True)
        process = self._context.Process(
            target=main, args=(theirs, str(self._restore.path), self._restore.holder), name="last-hand"
        )
        try:
            process.start()
        except OSError as error:
            _log.error("the last hand can't be started: %s", error)
            ours.close()
            return
        finally:
            # Only the hand may have its end, or its death would not be seen.
            theirs.close()
        self._process, self._pipe, self._is_ready = process, ours, False

    def wait(self, patience_s: float = WAIT_S) -> None:
        """Wait until it is ready to undo, or until there will be nothing to undo."""
        pipe, deadline = self._pipe, time.monotonic() + patience_s
        with contextlib.suppress(EOFError, OSError):
            while pipe is not None and not self._is_ready and not self._cancelled() and time.monotonic() < deadline:
                self._is_ready = pipe.poll(POLL_S) and pipe.recv_bytes() == READY
        if not self._is_ready and not self._cancelled():
            _log.error("no last hand: should the guard be killed, the next start undoes its changes")

    def keep(self) -> None:
        """Start another if it is gone, unless it went too often."""
        if self._process is None or self._process.is_alive():
            return
        _log.warning("the last hand is gone (exit code %s)", self._process.exitcode)
        self._forget()
        if self._window.allow(time.monotonic()):
            self.start()

    def close(self) -> None:
        """Let it go, after the guard undid what it could; what is still on file then, the hand tries once more."""
        process = self._process
        self._forget()
        if process is not None:
            if not self._restore.path.exists():
                process.kill()  # nothing is left to do, and it may still be loading its modules
            process.join(END_S)

    def _forget(self) -> None:
        pipe, self._pipe, self._process, self._is_ready = self._pipe, None, None, False
        if pipe is not None:
            pipe.close()


def main(pipe: "Connection[bytes, bytes]", restore_file: str, holder: str) -> None:
    """Wait until the guard is gone, undo what ``holder`` left on file, and return."""
    _stand_apart()
    restore = RestoreFile(Path(restore_file), holder=holder)
    replayers = select.replayers(restore.run)
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(READY)
        while True:
            pipe.recv_bytes()
    done = restore.replay(replayers, only_of=holder)
    for sentence in done.failed:
        _log.error("not undone: %s", sentence)


def _stand_apart() -> None:
    """Leave the terminal and the process group of the application; what is sent to them all is not for this one."""
    if hasattr(os, "setsid"):
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

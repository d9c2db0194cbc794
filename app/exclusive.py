"""A lock on an open file that only one process can hold, and that the system drops when its holder dies.

Standard library only; used by any process. On POSIX the lock belongs to the open file, so that a program which
inherits the descriptor holds it as well, until it ends.
"""

import importlib
import os


def lock(descriptor: int) -> None:
    """Take an exclusive lock without waiting; raises ``OSError`` when somebody else holds it."""
    try:
        fcntl = importlib.import_module("fcntl")
    except ModuleNotFoundError:  # Windows
        msvcrt = importlib.import_module("msvcrt")
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""Starts the application as a process without children of others. Standard library only; runs before Qt is imported.

What the application started is its own and never looked at. But a program that becomes another one (``exec``) keeps its
children: ``discord & exec fairlock open …`` in a script would hand one over to us, and as "child subreaper" all orphans
of that one as well. A process that is new has neither. On Windows no program becomes another one.
"""

import os
import signal
import sys

_EVERY_CHILD = 0x4000_0000
"""``__WALL`` of Linux: also children that were made in a way that sends no signal."""
_NO_WAITING: int = getattr(os, "WNOHANG", 0)  # not on every system, nor is what needs it


def make_sure() -> None:
    """Return in a process that has no children; in the one before it, if that had any, wait for the end and exit."""
    if not hasattr(os, "fork") or not _has_children():
        return
    own = os.fork()
    if own:
        sys.exit(_accompany(own))


def _has_children() -> bool:
    """Also forgets those that have ended; nobody here waits for them."""
    for kinds in (_EVERY_CHILD, 0):
        try:
            while os.waitpid(-1, _NO_WAITING | kinds) != (0, 0):
                pass
        except ChildProcessError:
            return False
        except OSError:
            continue  # this system does not know such kinds
        return True
    return True


def _accompany(own: int) -> int:
    """Pass on the wish to end, and return how ``own`` ended, as a shell says it."""
    signal.signal(signal.SIGTERM, lambda number, _frame: os.kill(own, number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from the terminal it reaches both
    _, status = os.waitpid(own, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code

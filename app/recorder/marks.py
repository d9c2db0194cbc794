"""What a session's folder says about its end: empty files that whoever comes later goes by.

``handed-in`` is there from the moment on in which the recording ends for good until somebody records again;
``finished`` once the server has signed that it has everything. Written by the recorder's main thread, by its
``leftovers`` thread and by ``fairlock upload``; never says anything about evidence itself.
"""

import logging
from pathlib import Path

from app.contract.errors import IntegrityError
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.times import Clock
from app.recorder.joining import SavedSession

FINISHED = "finished"
HANDED_IN = "handed-in"

_log = logging.getLogger("fairlock.recorder")


def mark_handed_in(folder: Path) -> None:
    """Note that the candidate will not take this session up again: what is left of it may be sent by itself."""
    _mark(folder, HANDED_IN)


def mark_taken_up(folder: Path) -> None:
    """Note that the candidate goes on with this session, handed in or not: until its next end nobody else ends it."""
    try:
        (folder / HANDED_IN).unlink(missing_ok=True)
    except OSError as error:
        _log.warning("%s stays marked as %s: %s", folder, HANDED_IN, error.strerror)


def mark_finished(folder: Path) -> None:
    """Note that the server has everything of this session."""
    _mark(folder, FINISHED)


def is_finished(folder: Path) -> bool:
    """Whether the server has everything of this session."""
    return (folder / FINISHED).exists()


def is_over(folder: Path, saved: SavedSession, clock: Clock) -> bool:
    """Whether nobody will take this session up again: it was handed in, or its exam's time is past."""
    if (folder / HANDED_IN).exists():
        return True
    try:
        return jws.unverified(Policy, saved.policy).expires_ms < clock.now().utc_ms
    except IntegrityError:
        return False


def _mark(folder: Path, name: str) -> None:
    """A folder that takes no mark must not keep what is in it from being sent: without it, it is only sent again."""
    try:
        (folder / name).touch(mode=0o600)
    except OSError as error:
        _log.warning("%s can't be marked as %s: %s", folder, name, error.strerror)

"""How a recording ends: sealed and sent in any case, and the session only with it where nobody goes on with it.

Runs in the recorder's main thread. After a fault, or when the shell is gone, the session stays open: its candidate
opens the link again and goes on under the same session id. Closes nothing: the recording's owner does.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from app.contract.errors import FairlockError
from app.contract.times import Clock
from app.messages import ENDS_SESSION, FlushProgress
from app.recorder.marks import mark_finished, mark_handed_in
from app.recorder.recording import Recording
from app.recorder.time_left import TimeLeft

ORPHAN_DEADLINE_S = 15.0

_log = logging.getLogger("fairlock.recorder")


def finish(
    recording: Recording, folder: Path, reason: str, *, deadline_s: float, on_progress: Callable[[int, int], None]
) -> bool:
    """Stop ``recording`` for ``reason`` (``messages.Finish``); whether the server has everything.

    Raises what ending the session raises; what is not sent by then stays on the disk.
    """
    if reason not in ENDS_SESSION:
        recording.stop()
        return recording.send_rest(deadline_s, on_progress)
    mark_handed_in(folder)  # before anything that may take long, or be the last thing that this process does
    recording.stop()
    complete = recording.flush(reason, deadline_s, on_progress)
    if complete:
        mark_finished(folder)
    return complete


def abandon(recording: Recording, *, for_next_process: bool) -> None:
    """Seal ``recording``, send what can be sent soon unless that is left to the next process, keep the rest on disk.

    Nobody said that the exam is over, so the session stays open: it can be taken up again.
    """
    try:
        if for_next_process:
            recording.hurry()
        recording.stop()
        if for_next_process:
            _log.info("what was not sent is left to the next process")
        else:
            recording.send_rest(ORPHAN_DEADLINE_S, lambda _sent, _total: None)
    except (FairlockError, OSError):
        _log.exception("what was not sent stays on disk")


def progress_teller(send: Callable[[FlushProgress], object], clock: Clock) -> Callable[[int, int], None]:
    """Return what takes bytes received and bytes of all, and tells the shell of them and of the time left."""
    time_left = TimeLeft(clock)

    def tell(sent: int, total: int) -> None:
        send(FlushProgress(sent_bytes=sent, total_bytes=total, left_s=time_left.estimate(sent, total)))

    return tell

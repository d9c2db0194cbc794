"""How a recording ends: sealed and sent in any case, and the session only with it where nobody goes on with it.

Runs in the recorder's main thread. After a fault the session stays open: its candidate opens the link again and goes
on under the same session id. Closes nothing: the recording's owner does.
"""

from collections.abc import Callable
from pathlib import Path

from app.messages import ENDS_SESSION
from app.recorder.marks import mark_finished, mark_handed_in
from app.recorder.recording import Recording


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

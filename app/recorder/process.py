"""The recorder's process: takes the shell's messages one after another until the shell is gone, and ends in order.

The main thread works through the inbox that the channel's thread fills; what a message asks for is done by
``app.recorder.recorder``. When the shell is gone, what is being recorded is sealed and uploaded as far as
``finishing.ORPHAN_DEADLINE_S`` allows; the rest stays on disk for the next start. When only a new process can go on,
the shell is told first, and keeps from then on what it has to say. The thread ``closing`` takes everything down; the
main thread hears the shell out meanwhile, and lets nothing last for ever: the shell waits for this process's end.
"""

import logging
import signal
import threading
import time
from multiprocessing.connection import Connection

from app.channel import Channel
from app.mailbox import Bounded, Closed
from app.recorder.options import RecorderOptions
from app.recorder.recorder import Recorder

INBOX = 256
ANSWER_S = 5.0
"""For so long may a shell that was told of ``Leaving`` say nothing at all."""
CLOSING_S = 90.0
"""Longer than all deadlines of the closing together, which only a disk that stands still outlasts."""
LOOK_S = 0.1

_log = logging.getLogger("fairlock.recorder")


def main(connection: Connection, options: RecorderOptions) -> None:
    """Work until the shell is gone, or until only a new process can go on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the shell's to handle, in order
    channel = Channel(connection, "recorder")
    inbox: Bounded[object] = Bounded(INBOX)
    recorder = Recorder(channel.send, options, on_track_lost=inbox.offer)
    channel.start(lambda message: _put(inbox, message), inbox.close)
    recorder.start()
    try:
        _serve(inbox, recorder)
    finally:
        _close(inbox, recorder)
        channel.close()


def _serve(inbox: Bounded[object], recorder: Recorder) -> None:
    while not recorder.may_leave:
        try:
            message = inbox.take(ANSWER_S if recorder.leaving else None)
        except Closed:
            _log.info("the shell is gone")
            return
        if message is None:
            _log.warning("the shell does not answer")
            return
        recorder.handle(message)


def _close(inbox: Bounded[object], recorder: Recorder) -> None:
    closing = threading.Thread(target=_take_down, args=(recorder,), name="closing", daemon=True)
    closing.start()
    until = time.monotonic() + CLOSING_S
    while closing.is_alive() and time.monotonic() < until:
        if not _hear_out(inbox, recorder, LOOK_S):
            closing.join(max(0.0, until - time.monotonic()))
    while _hear_out(inbox, recorder, 0) and len(inbox):
        pass
    if closing.is_alive():
        _log.error("what can't be closed within %g s is left to the next start", CLOSING_S)


def _take_down(recorder: Recorder) -> None:
    try:
        recorder.close()
    except Exception:  # noqa: BLE001  (the thread's main: whatever is left open is recovered at the next start)
        _log.exception("not everything could be closed")


def _hear_out(inbox: Bounded[object], recorder: Recorder, timeout_s: float) -> bool:
    """Take a message if one comes within ``timeout_s``; ``False`` when none can come any more."""
    try:
        message = inbox.take(timeout_s)
    except Closed:
        return False
    if message is not None:
        recorder.hear_out(message)
    return True


def _put(inbox: Bounded[object], message: object) -> None:
    inbox.put(message)

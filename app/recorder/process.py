"""The recorder's process: takes the shell's messages one after another until the shell is gone.

The main thread works through the inbox that the channel's thread fills; what a message asks for is done by
``app.recorder.recorder``. When the shell is gone, what is being recorded is sealed and uploaded as far as
``finishing.ORPHAN_DEADLINE_S`` allows; the rest stays on disk for the next start.
"""

import logging
import signal
from multiprocessing.connection import Connection

from app.channel import Channel
from app.mailbox import Bounded, Closed
from app.recorder.options import RecorderOptions
from app.recorder.recorder import Recorder

INBOX = 256

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
        recorder.close()
        channel.close()


def _serve(inbox: Bounded[object], recorder: Recorder) -> None:
    while not recorder.leaving:
        try:
            message = inbox.take()
        except Closed:
            _log.info("the shell is gone")
            return
        if message is not None:
            recorder.handle(message)


def _put(inbox: Bounded[object], message: object) -> None:
    inbox.put(message)

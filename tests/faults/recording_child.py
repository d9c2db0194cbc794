"""The real recorder, which also writes down each fragment that its spool acknowledged.

One line for each, only after ``Segmenter`` returned: ``<track> <SHA-256 of the fragment>``, into a pipe, which keeps
what a killed process wrote and is never full like a disk. A kill between the two loses the line, never the other way
round, so every line is a promise that the evidence must keep.
"""

import os
from hashlib import sha256
from multiprocessing.connection import Connection

from app.contract.incidents import Track
from app.recorder.options import RecorderOptions
from app.recorder.process import main as recorder_main
from capture.fragments import Fragment
from capture.segmenter import Segmenter

ACKNOWLEDGED = "acknowledged"


def main(connection: Connection, options: RecorderOptions) -> None:
    """Entry point of the spawned process."""
    log = os.open(options.home / ACKNOWLEDGED, os.O_WRONLY)
    push, push_plain = Segmenter.push, Segmenter.push_plain

    def note(track: Track, data: bytes) -> None:
        os.write(log, f"{track} {sha256(data).hexdigest()}\n".encode())

    def noting_push(self: Segmenter, fragment: Fragment) -> bool:
        taken = push(self, fragment)
        if taken:
            note(self.track, fragment.data)
        return taken

    def noting_push_plain(self: Segmenter, data: bytes, at_ms: int) -> None:
        push_plain(self, data, at_ms)
        note(self.track, data)

    Segmenter.push = noting_push  # type: ignore[method-assign]  # the only change to the real recorder
    Segmenter.push_plain = noting_push_plain  # type: ignore[method-assign]
    recorder_main(connection, options)

"""Records as fast as it can until it is killed: ``python -m tests.e2e.recording_child FOLDER EPOCH``.

Writes one line for each fragment, only after the segmenter said that it is on disk: ``<track> <SHA-256>``. The first
line is this epoch's public key, the second says how many segments were recovered.
"""

import os
import sys
import threading
from hashlib import sha256
from pathlib import Path

from app.contract.incidents import Track
from app.contract.sealing import keys
from capture.encoder import VideoEncoder
from capture.fragments import Fragment
from capture.recovery import recover
from tests.unit.capture_parts import Workshop, film


def main() -> None:
    """Continue the session in ``FOLDER`` with a new key and record two tracks."""
    workshop = Workshop(Path(sys.argv[1]), epoch=int(sys.argv[2]))
    say(keys.public_bytes(workshop.key.public_key()).hex())
    say(f"recovered {len(recover(workshop.spool, workshop.chain, workshop.clock).segments)}")
    encoder, fragments = film(workshop.clock, workshop.origin, seconds=36)
    threading.Thread(target=write_journal, args=(workshop,), daemon=True).start()
    record_camera(workshop, encoder, fragments)


def record_camera(workshop: Workshop, encoder: VideoEncoder, fragments: list[Fragment]) -> None:
    """Push the same film again and again."""
    segmenter = workshop.segmenter(Track.CAMERA, mime=encoder.mime, init=encoder.init, segment_ms=18_000)
    while True:
        for fragment in fragments:
            segmenter.push(fragment)
            say(f"camera {sha256(fragment.data).hexdigest()}")
        segmenter.cut()


def write_journal(workshop: Workshop) -> None:
    """Write lines that are all different."""
    segmenter = workshop.segmenter(Track.JOURNAL, segment_ms=10_000)
    number = 0
    while True:
        line = f"epoch {workshop.epoch} line {number}".encode()
        segmenter.push_plain(line, number * 10)
        say(f"journal {sha256(line).hexdigest()}")
        number += 1


def say(line: str) -> None:
    """Write a line at once; a pipe keeps what a killed process wrote."""
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    main()

"""Records a while by a clock of its own, with receipts now and then: ``python -m tests.e2e.power_child FOLDER``.

Writes ``fragment TRACK SHA-256 CLOCK_MS`` once the segmenter has taken one, and ``received STEM`` once a receipt is
stored. The first line is the public key.
"""

import os
import sys
from hashlib import sha256
from pathlib import Path

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.sealing import keys
from capture.recovery import recover
from capture.spool import file_stem
from tests.unit.capture_parts import Workshop

SECONDS = 12
STEP_MS = 250


def main() -> None:
    """Record ``SECONDS`` of two tracks in ``FOLDER``; every fifth second the oldest segment is received."""
    clock = ManualClock()
    workshop = Workshop(Path(sys.argv[1]), clock=clock)
    say(keys.public_bytes(workshop.key.public_key()).hex())
    recover(workshop.spool, workshop.chain, workshop.clock)
    tracks = (Track.CAMERA, Track.JOURNAL)
    segmenters = {track: workshop.segmenter(track, segment_ms=3_000) for track in tracks}
    for at_ms in range(0, SECONDS * 1_000, STEP_MS):
        for track, segmenter in segmenters.items():
            data = f"{track} {at_ms} ".encode() * 40
            segmenter.push_plain(data, at_ms)
            say(f"fragment {track} {sha256(data).hexdigest()} {at_ms}")
        clock.advance(STEP_MS / 1_000)
        if at_ms % 5_000 == 4_000:
            oldest = workshop.spool.pending(1)[0]
            workshop.spool.mark_received(oldest.record_digest, "receipt")
            record = oldest.record
            say(f"received {file_stem((record.epoch, record.track, record.sequence))}")
    for segmenter in segmenters.values():
        segmenter.close()


def say(line: str) -> None:
    """Write a line at once."""
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    main()

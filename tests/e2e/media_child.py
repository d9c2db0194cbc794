"""Records until it is killed: ``python -m tests.e2e.media_child FOLDER VARIABLE``.

Camera, screen and microphone are made up; everything from there to the disk is real, also the time. Writes
``given TRACK AT_MS`` before an encoder takes a picture or a chunk, and ``sealed TRACK SHA-256`` once a fragment is on
the disk. With a ``VARIABLE`` of 1 the screen is recorded only when it changes.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.clock import SystemClock
from app.contract.incidents import Track
from app.recorder.sources import Sources
from capture.encoder import AudioEncoder, VideoEncoder
from capture.fake import FakeMicrophone, FakeVideo
from capture.fragments import Fragment
from capture.frames import AudioChunk, Frame
from capture.segmenter import Segmenter
from capture.timeline import to_ms
from tests.unit.shell_policies import POLICY
from tests.unit.test_recorder_recording import Bench

LONGEST_S = 120.0
"""Ends by itself then, should whoever was to kill it be gone."""


def main() -> None:
    """Record into ``FOLDER``."""
    clock = SystemClock()
    capture = replace(POLICY.capture, segment_ms=2_000, screen_variable_rate=sys.argv[2] == "1")
    bench = Bench(Path(sys.argv[1]), clock, replace(POLICY, capture=capture))
    origin = bench.began

    def given(encode: Callable[[Any, Any], list[Fragment]]) -> Callable[[Any, Any], list[Fragment]]:
        def encode_and_say(self: object, item: Frame | AudioChunk) -> list[Fragment]:
            say(f"given {item.source} {to_ms(item.at, origin)}")
            return encode(self, item)

        return encode_and_say

    def push_and_say(self: Segmenter, fragment: Fragment) -> bool:
        taken = push(self, fragment)
        say(f"sealed {self.track} {sha256(fragment.data).hexdigest()}")
        return taken

    push = Segmenter.push
    Segmenter.push = push_and_say  # type: ignore[method-assign]  # the only changes to the real recording
    for encoder in (VideoEncoder, AudioEncoder):
        setattr(encoder, "encode", given(encoder.encode))  # noqa: B010  (mypy takes no assignment)
    recording = bench.recording(
        Sources(
            camera=FakeVideo(clock, fps=capture.camera_fps),
            screen=FakeVideo(clock, track=Track.SCREEN, fps=capture.screen_fps, still=True),
            microphone=FakeMicrophone(clock),
        )
    )
    recording.start()
    time.sleep(LONGEST_S)


def say(line: str) -> None:
    """Write a line at once; a pipe keeps what a killed process wrote."""
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    main()

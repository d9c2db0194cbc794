"""A recording that is killed at any moment keeps of each track all but the last second, and every sealed fragment."""

import io
import random
import signal
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import av
import pytest

from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment, open_segment
from app.recorder.sources import Sources
from capture.sources import AUDIO_RATE
from capture.spool import file_stem
from tests.unit.capture_parts import EXAMINER
from tests.unit.test_recorder_recording import Bench

ROOT = Path(__file__).parents[2]
KILLS = 4
SEED = 20_261_123
MEDIA = (Track.CAMERA, Track.SCREEN, Track.MICROPHONE)
MOST_MS = 1_000.0
ROUNDING_MS = 1.1


class Child:
    """A recording in a folder of its own, and what it said until it was killed."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder / str(number)
        self.folder.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.media_child", str(self.folder), str(number % 2)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.given_ms: dict[Track, list[int]] = {track: [] for track in MEDIA}
        self.sealed: Counter[tuple[Track, str]] = Counter()

    def kill(self, lines: int) -> None:
        """Kill it when it has said so much, or as soon as may be after that."""
        process = self._process
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout, process.stderr:
            said = [process.stdout.readline() for _ in range(lines)]
            process.kill()
            said += process.stdout.readlines()
            assert process.wait() == -signal.SIGKILL, process.stderr.read().decode()
        for what, track, said_of_it in (line.decode().split() for line in said if line.endswith(b"\n")):
            if what == "given":
                self.given_ms[Track(track)].append(int(said_of_it))
            elif track in MEDIA:
                self.sealed[Track(track), said_of_it] += 1

    def end(self) -> None:
        """See to it that it is gone, whatever the test came to."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def children(tmp_path: Path) -> Iterator[list[Child]]:
    """Recordings that run at the same time, the odd ones with a screen of a variable rate."""
    started = [Child(tmp_path, number) for number in range(KILLS)]
    yield started
    for child in started:
        child.end()


def test_a_killed_recording_misses_a_second_of_each_track_at_most(children: Sequence[Child]) -> None:
    moments = random.Random(SEED)  # noqa: S311  (seeded, so that a failure can be repeated)
    for child, lines in zip(children, sorted(moments.randint(80, 350) for _ in children), strict=True):
        child.kill(lines)
    for child in children:
        Bench(child.folder).recording(Sources(), 1).close()  # the next start takes up what was left
        found: Counter[tuple[Track, str]] = Counter()
        for track in MEDIA:
            opened = segments(child.folder, track)
            found += Counter((track, sha256(data).hexdigest()) for one in opened for data in one.fragments[1:])
            missing = missing_ms(track, child.given_ms[track], opened)
            print(f"{track}: {missing:.0f} ms of {child.given_ms[track][-1] - child.given_ms[track][0]} ms are missing")
            assert missing <= MOST_MS
        assert child.sealed - found == Counter()


def segments(folder: Path, track: Track) -> list[OpenedSegment]:
    """Return a track's segments as the chain has them, in order."""
    records = [jws.unverified(Record, token) for token in (folder / "chain").read_text().splitlines()]
    stems = [file_stem((one.epoch, one.track, one.sequence)) for one in records if one.track is track]
    return [open_segment((folder / "spool" / f"{stem}.fls").read_bytes(), EXAMINER) for stem in stems]


def missing_ms(track: Track, given_ms: Sequence[int], opened: Sequence[OpenedSegment]) -> float:
    """Return for how long of what the encoder had been given nothing can be played, in holes and at the end."""
    stretches = [stretch for one in opened for stretch in playable_ms(track, one.fragments)]
    if not stretches:
        return given_ms[-1] - given_ms[0]
    holes = sum(max(0.0, after[0] - before[1] - ROUNDING_MS) for before, after in pairwise(stretches))
    return max(0.0, stretches[0][0] - given_ms[0] - ROUNDING_MS) + holes + given_ms[-1] - stretches[-1][1]


def playable_ms(track: Track, fragments: Sequence[bytes]) -> list[tuple[float, float]]:
    """Decode a segment; return from when to when each picture or piece of sound is shown or heard, in ms."""
    with av.open(io.BytesIO(b"".join(fragments)), "r") as container:
        if track is Track.MICROPHONE:
            sounds = [(1_000 * (one.time or 0.0), one.samples) for one in container.decode(audio=0)]
            return [(at, at + 1_000 * samples / AUDIO_RATE) for at, samples in sounds]
        shown = [picture.pts or 0 for picture in container.decode(video=0)]  # in milliseconds
    lasts_ms = [duration for data in fragments[1:] if data for duration in durations(data)]
    return [(at, at + duration) for at, duration in zip(shown, lasts_ms, strict=True)]


def durations(fragment: bytes) -> list[int]:
    """Return for how long each of its samples lasts, which FFmpeg does not tell of pictures (ISO 14496-12, 8.8.8)."""
    at = fragment.index(b"trun") + 8
    (count,) = struct.unpack_from(">I", fragment, at)
    return [duration for duration, _size, _flags in struct.iter_unpack(">III", fragment[at + 8 : at + 8 + 12 * count])]

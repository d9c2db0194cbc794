"""CPU and disk of the recording client, in real time: grab, convert, encode, seal, sync, with every thread it has.

A camera of raw pictures (15 a second, 640×480, decoding a camera's own format is not ours to measure), the screen of a
real X server (1920×1080, 5 a second, a terminal that types and scrolls), a microphone of raw sound, all through the
recorder's own tracks. Only this process counts: not the X server, not the terminal. Linux with Xvfb and xterm only.
"""

import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.clock import SystemClock
from app.contract.incidents import Track
from app.contract.policy import Capture
from app.recorder.encoders import Encoders
from capture.fragments import Encoder, Fragment
from capture.frames import AudioChunk, Frame
from capture.pace import Pacer
from capture.pictures import Picture
from capture.screen.grab import GrabbedScreen
from capture.sources import AUDIO_BLOCK, AUDIO_CHUNK, AUDIO_RATE
from capture.timeline import to_instant
from capture.track import Source, T, TrackRecorder
from tests.bench.bench_recorder import camera_shot
from tests.bench.table import Row
from tests.unit.capture_parts import Workshop
from tests.unit.virtual_screen import virtual_screen

SECONDS = 30
_PICTURES = 60
_TYPING = """while true
do for n in $(seq 1 15); do printf "Which of these is right, and why? %s " $n; sleep 0.2; done
ls -l /usr/bin | head -40
done"""


class RawCamera:
    """Pictures made before, at 15 a second."""

    def __init__(self, clock: SystemClock) -> None:
        shot = camera_shot()
        self._pictures: list[Picture] = [shot.draw(number) for number in range(_PICTURES)]
        for picture in self._pictures:
            picture.flags.writeable = False
        self._pacer = Pacer(shot.fps, clock, skip_late=True)
        self._seq = 0

    def open(self) -> None:
        """Nothing has to be opened."""

    def read(self) -> Frame:
        """Return the next one when it is due."""
        at = self._pacer.wait()
        frame = Frame(source=Track.CAMERA, seq=self._seq, at=at, image=self._pictures[self._seq % _PICTURES])
        self._seq += 1
        return frame

    def close(self) -> None:
        """Nothing has to be closed."""


class RawMicrophone:
    """Ten seconds of sound made before, over and over: a voice's pitch and a room's noise.

    It comes as a ``DeviceMicrophone``'s does: a block of some chunks at a time, which are then read one by one.
    """

    def __init__(self, clock: SystemClock) -> None:
        at = np.arange(AUDIO_RATE * 10) / AUDIO_RATE
        loudness = 4_000 * (1 + np.sin(2 * np.pi * 3 * at))
        voice = sum(np.sin(2 * np.pi * 140 * overtone * at) / overtone for overtone in range(1, 20))
        noise = np.random.default_rng(1).normal(0, 150, len(at))
        self._chunks = np.split((loudness * voice / 2 + noise).clip(-32_768, 32_767).astype(np.int16), 500)
        self._pacer = Pacer(AUDIO_RATE / AUDIO_BLOCK, clock, skip_late=False)
        self._block_at = clock.now()
        self._seq = 0

    def open(self) -> None:
        """Nothing has to be opened."""

    def read(self) -> AudioChunk:
        """Return the next one of a block that is due."""
        begin = self._seq * AUDIO_CHUNK % AUDIO_BLOCK
        if begin == 0:
            self._block_at = self._pacer.wait()
        at = to_instant(begin * 1000 // AUDIO_RATE, self._block_at)
        pcm = self._chunks[self._seq % len(self._chunks)]
        chunk = AudioChunk(source=Track.MICROPHONE, seq=self._seq, at=at, rate=AUDIO_RATE, pcm=pcm)
        self._seq += 1
        return chunk

    def close(self) -> None:
        """Nothing has to be closed."""


def run() -> list[Row]:
    """Record half a minute and tell what it took."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder, _typed_on() as display:
        workshop = Workshop(Path(folder), clock=clock)
        screen, camera = GrabbedScreen(5, clock, display=display), RawCamera(clock)
        media: list[int] = []
        recorders = _recorders(workshop, screen, camera, RawMicrophone(clock), media)
        before, written, began = _cpu_s(), _written(), time.monotonic()
        for recorder in recorders:
            recorder.start()
        time.sleep(SECONDS)
        of_threads = _threads_cpu_s()
        stopped = [recorder.stop(20) for recorder in recorders]
        spent, passed = _cpu_s() - before, time.monotonic() - began
        through, to_disk = (after - earlier for earlier, after in zip(written, _written(), strict=True))
        gone = sum(recorder.dropped for recorder in recorders)
        sealed = sum(record.size for record, _ in workshop.closed)
        workshop.close()
    if not all(stopped) or not sealed:
        raise RuntimeError("nothing was recorded")
    return [
        _row("recording client: CPU of one core", spent / passed, "share", "≤ 0.16"),
        *(_row(f"of which {name}", cpu_s / SECONDS, "share", "") for name, cpu_s in sorted(of_threads.items())),
        _row("recording client: dropped", gone, "items", "= 0"),
        _row("recording client: media", sum(media) * 8 / 1000 / passed, "kbit/s", ""),
        _row("spool: bytes written by sealed bytes", through / sealed, "times", "≤ 1.1"),
        _row("spool: bytes that reached the disk by sealed bytes", to_disk / sealed, "times", ""),
    ]


def _recorders(
    workshop: Workshop, screen: GrabbedScreen, camera: RawCamera, microphone: RawMicrophone, media: list[int]
) -> Sequence[TrackRecorder[Frame] | TrackRecorder[AudioChunk]]:
    screen.open()
    made = Encoders(Capture(), workshop.origin)

    def recorder(track: Track, source: Source[T], encoder: Encoder[T], rate: float) -> TrackRecorder[T]:
        def count(fragment: Fragment) -> None:
            media.append(len(fragment.data))

        return TrackRecorder(
            track=track,
            source=source,
            encoder=encoder,
            segmenter=workshop.segmenter(track, mime=encoder.mime, init=encoder.init),
            rate=rate,
            queue_s=5,
            clock=workshop.clock,
            timeline_origin=workshop.origin,
            on_frame=None,
            on_gap=lambda _gap: None,
            on_error=lambda _error: None,
            on_fragment=count,
        )

    return (
        recorder(Track.CAMERA, camera, made.video(Track.CAMERA, 640, 480), 15),
        recorder(Track.SCREEN, screen, made.video(Track.SCREEN, screen.width, screen.height), 5),
        recorder(Track.MICROPHONE, microphone, made.sound(), AUDIO_RATE / AUDIO_CHUNK),
    )


@contextmanager
def _typed_on() -> Iterator[str]:
    """A screen on which somebody types, by its name."""
    with virtual_screen(size="1920x1080x24") as screen:
        terminal = subprocess.Popen(
            ["xterm", "-geometry", "230x60+0+0", "-fa", "DejaVu Sans Mono", "-fs", "11", "-e", "sh", "-c", _TYPING],
            env={**os.environ, "DISPLAY": screen.name},
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(2)
            yield screen.name
        finally:
            terminal.kill()
            terminal.wait()


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _threads_cpu_s() -> dict[str, float]:
    """Return the seconds that each of the tracks' threads worked so far, by name (proc(5), ``schedstat``)."""
    return {
        thread.name: int(Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()[0]) / 1e9
        for thread in threading.enumerate()
        if thread.name.endswith(("-read", "-seal"))
    }


def _written() -> tuple[int, int]:
    """Return the bytes that this process wrote to files, and those that went on to the disk (proc(5), ``io``)."""
    said = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(said["wchar"]), int(said["write_bytes"])


def _row(name: str, value: float, unit: str, goal: str) -> Row:
    return Row(name=name, value=round(value, 3), unit=unit, peer=None, ratio=None, goal=goal)

"""An exam of any length at the machine's speed: devices that drift and jitter, real encoders, sealing and spool.

A sound card whose clock runs fast and whose blocks arrive in bursts, a camera whose pictures come late now and then.
Every so often picture and sound show the same moment: a white picture and a click. What is closed is decoded again, the
moments are compared, and the segment is let go, as after an upload.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import psutil

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Codec
from app.contract.times import Instant
from capture.encoder import AudioEncoder, VideoEncoder
from capture.fragments import Fragment
from capture.frames import Frame
from capture.microphone import DeviceMicrophone
from capture.segmenter import Segmenter
from capture.sources import AUDIO_CHUNK, AUDIO_RATE
from tests.unit.capture_parts import Workshop

FPS = 15
WIDTH, HEIGHT = 64, 48
_LATE_S = 0.03
_BURST = 3
_CLICK, _CLICK_S = 20_000, 0.1
_WHITE = 200


@dataclass
class Result:
    """Seconds on the timeline at which the moments were seen and heard, and memory in bytes over time."""

    shown: list[float] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    starts_ms: dict[Track, list[tuple[int, int]]] = field(default_factory=dict)

    def apart_ms(self) -> list[float]:
        """Return how far picture and sound of each moment are apart."""
        return [abs(a - b) * 1000 for a, b in zip(self.shown, self.heard, strict=True)]


class Sound:
    """What sounddevice offers; ``block`` calls back as PortAudio's thread does."""

    class PortAudioError(Exception): ...

    default = SimpleNamespace(hostapi=0)

    def query_devices(self, *which: object) -> Any:
        device = {"index": 0, "name": "Drifting", "max_input_channels": 1, "hostapi": 0}
        return device if which else [device]

    def RawInputStream(self, **settings: Any) -> Any:  # noqa: N802  (sounddevice's name)
        self._callback = settings["callback"]
        return SimpleNamespace(start=lambda: None, abort=lambda: None, close=lambda: None)

    def block(self, pcm: np.ndarray[Any, np.dtype[np.int16]]) -> None:
        self._callback(pcm.tobytes(), len(pcm), None, SimpleNamespace(input_overflow=False))


class Exam:
    """Runs for ``seconds`` into ``folder``; the sound card is ``ppm`` too fast; a moment every ``moment_s``."""

    def __init__(self, folder: Path, *, seconds: float, ppm: float, moment_s: float) -> None:
        self._clock = ManualClock()
        self._workshop = Workshop(folder, clock=self._clock)
        self._origin, self._seconds, self._moment_s = self._workshop.origin, seconds, moment_s
        self._block_s = AUDIO_CHUNK / AUDIO_RATE / (1 + ppm / 1e6)
        self._dice = np.random.default_rng(3)
        self.result = Result()
        self._video = VideoEncoder(
            Track.CAMERA, width=WIDTH, height=HEIGHT, fps=FPS, codec=Codec.VP9, timeline_origin=self._origin
        )
        self._audio = AudioEncoder(self._origin)
        self._segmenters = {
            encoder.track: self._workshop.segmenter(encoder.track, mime=encoder.mime, init=encoder.init)
            for encoder in (self._video, self._audio)
        }
        self._sound = Sound()
        self._microphone = DeviceMicrophone(self._clock, load=lambda: self._sound)
        self._noise = self._dice.normal(0, 60, (16, AUDIO_CHUNK)).round().astype(np.int16)
        self._grey = self._dice.integers(40, 80, (8, HEIGHT, WIDTH, 3), dtype=np.uint8)

    def run(self) -> Result:
        """Record to the end and return what was found."""
        self._microphone.open()
        picture, block, measured = 0, 0, 0
        while picture / FPS < self._seconds:
            picture_s = picture / FPS
            block_end_s = (block + _BURST) * self._block_s
            if block_end_s <= picture_s:
                self._hear(block, block_end_s)
                block += _BURST
                continue
            self._show(picture, picture_s)
            picture += 1
            if picture_s >= measured * 60:
                measured += 1
                self.result.memory.append(psutil.Process().memory_info().rss)
        self._microphone.close()
        self._keep(Track.CAMERA, self._video.finish())
        self._keep(Track.MICROPHONE, self._audio.finish())
        for segmenter in self._segmenters.values():
            segmenter.close()
        self._look_back()
        self._workshop.close()
        return self.result

    def _moment_before(self, at_s: float) -> float:
        """Return the last moment at or before ``at_s``; moments fall on pictures, half a period into the exam."""
        count = np.floor((at_s + 1e-9) / self._moment_s - 0.5)
        return float(round((count + 0.5) * self._moment_s * FPS) / FPS)

    def _show(self, number: int, at_s: float) -> None:
        is_late = self._dice.random() < 0.2
        self._go_to(at_s)
        moment = self._moment_before(at_s)
        is_white = 0 <= at_s - moment < 0.5 and moment > 0
        image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8) if is_white else self._grey[number % 8]
        late_ns = round(_LATE_S * 1e9 * self._dice.random()) if is_late else 0
        now = self._clock.now()
        at = Instant(mono_ns=now.mono_ns + late_ns, utc_ms=now.utc_ms)
        self._keep(Track.CAMERA, self._video.encode(Frame(source=Track.CAMERA, seq=number, at=at, image=image)))

    def _hear(self, first: int, arrived_s: float) -> None:
        self._go_to(arrived_s + 0.004 * self._dice.random())
        for block in range(first, first + _BURST):
            pcm = self._noise[block % 16]
            begin, end = block * self._block_s, (block + 1) * self._block_s
            moment = self._moment_before(end)
            if moment > 0 and moment + _CLICK_S > begin:
                times = begin + np.arange(AUDIO_CHUNK) * (self._block_s / AUDIO_CHUNK)
                pcm = np.where((times >= moment) & (times < moment + _CLICK_S), _CLICK, pcm).astype(np.int16)
            self._sound.block(pcm)
        for _ in range(_BURST):
            self._keep(Track.MICROPHONE, self._audio.encode(self._microphone.read()))

    def _go_to(self, at_s: float) -> None:
        ahead_s = at_s - self._clock.now().seconds_since(self._origin)
        if ahead_s > 0:
            self._clock.advance(ahead_s)

    def _keep(self, track: Track, fragments: list[Fragment]) -> None:
        segmenter: Segmenter = self._segmenters[track]
        for fragment in fragments:
            segmenter.push(fragment)
        self._look_back()

    def _look_back(self) -> None:
        """Decode what was closed, note its moments, and let it go as if the server had it."""
        for record, _ in self._workshop.closed:
            data = b"".join(self._workshop.open(record).fragments)
            self.result.starts_ms.setdefault(record.track, []).append((record.start_ms, record.duration_ms))
            if record.track is Track.CAMERA:
                self._find_white(data)
            else:
                self._find_clicks(data)
        if self._workshop.closed:
            for waiting in self._workshop.spool.pending():
                self._workshop.spool.mark_received(waiting.record_digest, "")
            self._workshop.closed.clear()

    def _find_white(self, data: bytes) -> None:
        with av.open(io.BytesIO(data), "r") as container:
            for picture in container.decode(video=0):
                at_s = float(picture.time)
                if picture.to_ndarray(format="gray").mean() > _WHITE and not _recent(self.result.shown, at_s):
                    self.result.shown.append(at_s)

    def _find_clicks(self, data: bytes) -> None:
        with av.open(io.BytesIO(data), "r") as container:
            for sound in container.decode(audio=0):
                level = np.abs(sound.to_ndarray().reshape(-1))
                loud = np.flatnonzero(level > 0.3 * (1 if level.dtype.kind == "f" else 32_768))
                if len(loud):
                    at_s = float(sound.time or 0) + float(loud[0]) / sound.sample_rate
                    if not _recent(self.result.heard, at_s):
                        self.result.heard.append(at_s)


def _recent(times: list[float], at_s: float) -> bool:
    return bool(times) and at_s - times[-1] < 1.0

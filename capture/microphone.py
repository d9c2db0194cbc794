"""The real microphone, through PortAudio.

PortAudio's own thread calls ``_heard``, which only enqueues: it never blocks, allocates little and touches no file.
``read`` runs in the microphone's reader thread.
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from app.contract.incidents import Track
from app.contract.times import Clock
from app.mailbox import Bounded
from capture import refusals
from capture.frames import AudioChunk
from capture.sample_clock import SampleClock
from capture.sources import AUDIO_CHUNK, AUDIO_RATE, Origin, SourceLost

_QUEUE_CHUNKS = 5 * AUDIO_RATE // AUDIO_CHUNK
_SILENT_DEVICE_S = 2.0


def _load() -> ModuleType:
    return importlib.import_module("sounddevice")


class DeviceMicrophone:
    """The default microphone, or the one called ``device``, as a source.

    ``load`` returns the sounddevice module; it is loaded late, because importing it fails where PortAudio is missing.
    """

    track = Track.MICROPHONE
    origin = Origin.DEVICE

    def __init__(self, clock: Clock, device: int | str | None = None, *, load: Callable[[], Any] = _load) -> None:
        self.name = "microphone"
        self._clock, self._device, self._load = clock, device, load
        self._stream: Any = None
        self._errors: tuple[type[Exception], ...] = ()
        self._queue: Bounded[AudioChunk] = Bounded(_QUEUE_CHUNKS)
        self._times = SampleClock(AUDIO_RATE)
        self._seq = 0

    def open(self) -> None:
        """Start recording; raises ``UserFacing`` (E-LIBRARY, E-MICROPHONE-NONE)."""
        self.close()
        try:
            sounddevice = self._load()
        except OSError as error:
            raise refusals.missing_library("PortAudio", "libportaudio2") from error
        self._errors = (sounddevice.PortAudioError, ValueError, OSError)
        self._queue = Bounded(_QUEUE_CHUNKS)
        self._times = SampleClock(AUDIO_RATE)
        try:
            self.name = str(sounddevice.query_devices(self._device, "input")["name"])
            self._stream = sounddevice.RawInputStream(
                samplerate=AUDIO_RATE,
                blocksize=AUDIO_CHUNK,
                device=self._device,
                channels=1,
                dtype="int16",
                callback=self._heard,
            )
            self._stream.start()
        except self._errors as error:
            self.close()
            raise refusals.no_microphone(str(error)) from error

    def read(self) -> AudioChunk:
        """Return the next 20 ms; a device that gives none for two seconds is lost."""
        if self._stream is None:
            raise SourceLost("the microphone is not open")
        chunk = self._queue.take(_SILENT_DEVICE_S)
        if chunk is None:
            raise SourceLost(f"the microphone “{self.name}” gives no sound")
        return chunk

    def close(self) -> None:
        """Stop recording."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.abort()
                stream.close()
            except self._errors:
                pass  # it was unplugged: nothing is left to close

    def _heard(self, data: Any, frames: int, _time: Any, status: Any) -> None:
        # _time is not used: PortAudio fills it wrongly over PulseAudio and leaves it zero over others.
        if status.input_overflow:
            self._times.lost()
            self._seq += 1
        pcm = np.frombuffer(bytes(data), np.int16)
        at = self._times.stamp(self._clock.now(), frames)
        self._queue.offer(AudioChunk(source=self.track, seq=self._seq, at=at, rate=AUDIO_RATE, pcm=pcm))
        self._seq += 1

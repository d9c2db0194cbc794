"""The real microphone, through PortAudio.

PortAudio's own thread calls ``_heard``, which only enqueues: it never blocks, allocates little and touches no file.
``read`` runs in the microphone's reader thread.
"""

import contextlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from app.contract.incidents import Track
from app.contract.times import Clock
from app.mailbox import Bounded
from capture import refusals
from capture.device_names import distinct
from capture.frames import AudioChunk
from capture.sample_clock import SampleClock
from capture.sources import AUDIO_BLOCK, AUDIO_CHUNK, AUDIO_RATE, Origin, SourceLost
from capture.timeline import to_instant

_QUEUE_BLOCKS = 5 * AUDIO_RATE // AUDIO_BLOCK
_SILENT_DEVICE_S = 2.0


def _load() -> ModuleType:
    return importlib.import_module("sounddevice")


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrophoneInfo:
    """A microphone that the sound system has. ``name`` is its own among those listed together."""

    index: int
    name: str


def list_microphones(load: Callable[[], Any] = _load) -> Sequence[MicrophoneInfo]:
    """Return the microphones of the default sound system, as they are now; none where PortAudio is missing.

    No stream may be open: PortAudio looks for devices only when it starts.
    """
    try:
        sounddevice = load()
    except OSError:
        return []
    try:
        _look_again(sounddevice)
        return _listed(sounddevice)
    except (sounddevice.PortAudioError, ValueError, OSError):
        return []


def _listed(sounddevice: Any) -> list[MicrophoneInfo]:
    default = sounddevice.default.hostapi
    inputs = [
        device
        for device in sounddevice.query_devices()
        if device["max_input_channels"] > 0 and device["hostapi"] == default
    ]
    names = distinct([str(device["name"]) for device in inputs])
    return [MicrophoneInfo(index=int(d["index"]), name=name) for d, name in zip(inputs, names, strict=True)]


def _name_of(sounddevice: Any, device: int | None) -> str:
    """Return the name of the device, or of the default one, as it is listed."""
    opened = sounddevice.query_devices(device, "input")
    listed = {info.index: info.name for info in _listed(sounddevice)}
    return listed.get(int(opened["index"]), str(opened["name"]))


def _look_again(sounddevice: Any) -> None:
    """Let PortAudio find what was plugged in since it started.

    WORKAROUND: its list of devices is made once (https://github.com/spatialaudio/python-sounddevice/issues/125).
    """
    with contextlib.suppress(sounddevice.PortAudioError):  # where it could not be started again the last time
        sounddevice._terminate()
    sounddevice._initialize()


class DeviceMicrophone:
    """The default microphone, or the one called ``device`` (a name of ``list_microphones``, or an index), as a source.

    ``load`` returns the sounddevice module; it is loaded late, because importing it fails where PortAudio is missing.
    """

    track = Track.MICROPHONE
    origin = Origin.DEVICE

    def __init__(self, clock: Clock, device: int | str | None = None, *, load: Callable[[], Any] = _load) -> None:
        self.name = "microphone"
        self._clock, self._device, self._load = clock, device, load
        self._stream: Any = None
        self._errors: tuple[type[Exception], ...] = ()
        self._queue: Bounded[AudioChunk] = Bounded(_QUEUE_BLOCKS)
        self._chunks: Iterator[AudioChunk] = iter(())
        self._times = SampleClock(AUDIO_RATE)
        self._seq = 0
        self._was_open = False

    def open(self) -> None:
        """Start recording; raises ``UserFacing`` (E-LIBRARY, E-MICROPHONE-NONE)."""
        self.close()
        try:
            sounddevice = self._load()
        except OSError as error:
            raise refusals.missing_library("PortAudio", "libportaudio2") from error
        self._errors = (sounddevice.PortAudioError, ValueError, OSError)
        self._queue = Bounded(_QUEUE_BLOCKS)
        self._chunks = iter(())
        self._times = SampleClock(AUDIO_RATE)
        try:
            if self._was_open:
                _look_again(sounddevice)
            self._was_open = True
            device = self._find(sounddevice)
            self.name = _name_of(sounddevice, device)
            self._stream = sounddevice.RawInputStream(
                samplerate=AUDIO_RATE,
                blocksize=AUDIO_BLOCK,
                device=device,
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
        while (chunk := next(self._chunks, None)) is None:
            block = self._queue.take(_SILENT_DEVICE_S)
            if block is None:
                raise SourceLost(f"the microphone “{self.name}” gives no sound")
            self._chunks = _chunks(block)
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

    def _find(self, sounddevice: Any) -> int | None:
        """Return the index of the wanted one, or of the default where that is gone."""
        if not isinstance(self._device, str):
            return self._device
        named = {info.name: info.index for info in _listed(sounddevice)}
        return named.get(self._device)

    def _heard(self, data: Any, frames: int, _time: Any, status: Any) -> None:
        # _time is not used: PortAudio fills it wrongly over PulseAudio and leaves it zero over others.
        if status.input_overflow:
            self._times.lost()
            self._seq += 1
        pcm = np.frombuffer(bytes(data), np.int16)
        at = self._times.stamp(self._clock.now(), frames)
        self._queue.offer(AudioChunk(source=self.track, seq=self._seq, at=at, rate=AUDIO_RATE, pcm=pcm))
        self._seq += frames // AUDIO_CHUNK


def _chunks(block: AudioChunk) -> Iterator[AudioChunk]:
    """Yield a block in chunks of 20 ms, each with its number and its own time."""
    for begin in range(0, len(block.pcm), AUDIO_CHUNK):
        at = to_instant(begin * 1000 // block.rate, block.at)
        pcm = block.pcm[begin : begin + AUDIO_CHUNK]
        yield replace(block, seq=block.seq + begin // AUDIO_CHUNK, at=at, pcm=pcm)

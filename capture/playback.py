"""Sample footage and sound from files, through the same interface as the real devices.

For demonstrations and tests on machines without camera or microphone. Decoded with PyAV as it is played, in a loop,
paced by the clock; always ``Origin.SAMPLE``, which screen and report say.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av import VideoFrame
from av.error import FFmpegError

from app.contract.errors import UserFacing
from app.contract.incidents import Track
from app.contract.times import Clock, Instant
from capture.frames import AudioChunk, Frame
from capture.pace import Pacer
from capture.pictures import Picture, fit
from capture.sources import AUDIO_CHUNK, AUDIO_RATE, Origin, SourceLost


class PlaybackCamera:
    """A video file as a camera: ``fps`` pictures a second, fitted into ``width``×``height``, in a loop.

    On a machine that is too slow pictures are left out, so that what is seen stays with what is heard.
    """

    track = Track.CAMERA
    origin = Origin.SAMPLE

    def __init__(self, path: Path, width: int, height: int, fps: int, clock: Clock) -> None:
        self.name = f"sample footage {path.name}"
        self.width, self.height = width, height
        self._path, self._fps = path, fps
        self._pacer = Pacer(fps, clock, skip_late=True)
        self._pictures: Iterator[VideoFrame] | None = None
        self._began: Instant | None = None
        self._shown = 0
        self._seq = 0

    def open(self) -> None:
        """Start from the beginning; raises ``UserFacing`` (E-SAMPLE)."""
        self.close()
        _require_stream(self._path, "video")
        self._pictures = self._play()
        self._began, self._shown = None, 0
        self._pacer.restart()

    def read(self) -> Frame:
        """Return the picture that is due."""
        if self._pictures is None:
            raise SourceLost("the footage is not open")
        at = self._pacer.wait()
        self._began = self._began or at
        due = round(at.seconds_since(self._began) * self._fps)
        try:
            picture = next(self._pictures)
            for _ in range(self._shown, due):
                picture = next(self._pictures)
            image = self._fitted(picture)
        except (FFmpegError, OSError, StopIteration) as error:
            raise SourceLost(f"the footage can't be read: {error}") from error
        self._shown = due + 1
        frame = Frame(source=self.track, seq=self._seq, at=at, image=image)
        self._seq += 1
        return frame

    def close(self) -> None:
        """Stop playing."""
        self._pictures = None

    def _fitted(self, picture: VideoFrame) -> Picture:
        image = fit(picture.to_ndarray(format="bgr24").astype(np.uint8, copy=False), self.width, self.height)
        image.flags.writeable = False
        return image

    def _play(self) -> Iterator[VideoFrame]:
        """Yield a picture per tick, whatever the file's own rate, from the file again and again."""
        while True:
            due = 0.0
            with av.open(str(self._path)) as container:
                stream = container.streams.video[0]
                stream.codec_context.thread_count = 1
                begin: float | None = None
                for picture in container.decode(stream):
                    begin = picture.time if begin is None else begin
                    shown_for = 1 / float(stream.average_rate or self._fps)
                    until = picture.time - begin + shown_for
                    if due >= until - 1e-6:
                        continue
                    while due < until - 1e-6:
                        yield picture
                        due += 1 / self._fps
            if due == 0.0:
                return


class PlaybackMicrophone:
    """A sound file as a microphone, resampled to ``AUDIO_RATE`` mono, in a loop."""

    track = Track.MICROPHONE
    origin = Origin.SAMPLE

    def __init__(self, path: Path, clock: Clock) -> None:
        self.name = f"sample sound {path.name}"
        self._path = path
        self._pacer = Pacer(AUDIO_RATE / AUDIO_CHUNK, clock, skip_late=False)
        self._chunks: Iterator[np.ndarray[tuple[int], np.dtype[np.int16]]] | None = None
        self._seq = 0

    def open(self) -> None:
        """Start from the beginning; raises ``UserFacing`` (E-SAMPLE)."""
        self.close()
        _require_stream(self._path, "audio")
        self._chunks = self._play()
        self._pacer.restart()

    def read(self) -> AudioChunk:
        """Return the next 20 ms."""
        if self._chunks is None:
            raise SourceLost("the sound is not open")
        at = self._pacer.wait()
        try:
            pcm = next(self._chunks)
        except (FFmpegError, OSError, StopIteration) as error:
            raise SourceLost(f"the sound can't be read: {error}") from error
        chunk = AudioChunk(source=self.track, seq=self._seq, at=at, rate=AUDIO_RATE, pcm=pcm)
        self._seq += 1
        return chunk

    def close(self) -> None:
        """Stop playing."""
        self._chunks = None

    def _play(self) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int16]]]:
        """Yield chunks; the file's incomplete last chunk is skipped."""
        while True:
            empty = True
            resampler = av.AudioResampler(format="s16", layout="mono", rate=AUDIO_RATE, frame_size=AUDIO_CHUNK)
            with av.open(str(self._path)) as container:
                for sound in container.decode(audio=0):
                    for part in resampler.resample(sound):
                        pcm = part.to_ndarray().reshape(-1).astype(np.int16, copy=False)
                        if len(pcm) == AUDIO_CHUNK:
                            empty = False
                            yield pcm
            if empty:
                return


def _require_stream(path: Path, kind: str) -> None:
    try:
        with av.open(str(path)) as container:
            if any(stream.type == kind for stream in container.streams):
                return
    except (FFmpegError, OSError):
        pass
    raise UserFacing(
        f"The sample file {path.name} holds no {kind}.", advice="Run the set-up again to make it anew.", code="E-SAMPLE"
    )

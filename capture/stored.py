"""Recordings from files, as fast as they decode: frames and sound with the file's own times.

For measuring detectors; nothing here is paced or repeated, and the same file always gives the same frames. Runs in the
caller's thread. ``capture.playback`` is the other one: a file in the place of a device.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError

from app.contract.errors import UserFacing
from app.contract.incidents import Track
from app.contract.times import Instant
from capture.frames import AudioChunk, Frame
from capture.pictures import Picture
from capture.sources import AUDIO_CHUNK, AUDIO_RATE

_ADVICE = "Take it out of the folder, or save it in a usual format."


def moment(seconds: float) -> Instant:
    """Return the instant ``seconds`` into a recording: both clocks start at its beginning."""
    return Instant(mono_ns=round(seconds * 1e9), utc_ms=round(seconds * 1e3))


def stored_frames(path: Path, *, rate: float, longest: int) -> Iterator[Frame]:
    """Yield at most ``rate`` frames a second of a video or animated picture, longest side at most ``longest`` pixels.

    A frame is skipped without being converted unless it is due. Raises ``UserFacing`` (E-RECORDING).
    """
    due, seq = 0.0, 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise _only_sound(path) if container.streams.audio else _unreadable(path, "it holds no pictures")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            begin: float | None = None
            for picture in container.decode(stream):
                if picture.time is None:
                    raise _unreadable(path, "it does not say when its pictures were taken")
                begin = picture.time if begin is None else begin
                at = picture.time - begin
                # A frame may come a hair before its time: 23.98 frames a second are no multiple of anything.
                if at < due - 0.5 / rate / 4:
                    continue
                due = max(due + 1 / rate, at)
                whole = picture.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
                image = shrunk(upright(whole, picture.rotation), longest)
                image.flags.writeable = False
                yield Frame(source=Track.CAMERA, seq=seq, at=moment(at), image=image)
                seq += 1
    except (FFmpegError, OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def stored_sound(path: Path) -> Iterator[AudioChunk]:
    """Yield the sound in chunks of 20 ms, mono at ``AUDIO_RATE``; the last, incomplete chunk is left out."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=AUDIO_RATE, frame_size=AUDIO_CHUNK)
    seq = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise _unreadable(path, "it holds no sound")
            for sound in container.decode(audio=0):
                for part in resampler.resample(sound):
                    pcm = part.to_ndarray().reshape(-1).astype(np.int16, copy=False)
                    if len(pcm) == AUDIO_CHUNK:
                        at = moment(seq * AUDIO_CHUNK / AUDIO_RATE)
                        yield AudioChunk(source=Track.MICROPHONE, seq=seq, at=at, rate=AUDIO_RATE, pcm=pcm)
                        seq += 1
    except (FFmpegError, OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def stored_picture(path: Path, *, longest: int, size: tuple[int, int] | None = None) -> Picture:
    """Return a still picture (BGR), brought to ``size`` (width, height) or made no longer than ``longest``."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:  # a picture larger than OpenCV reads
        raise _unreadable(path, error) from error
    if image is None:
        raise _unreadable(path, "no picture in it")
    picture = image.astype(np.uint8, copy=False)
    if size is not None and (picture.shape[1], picture.shape[0]) != size:
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    picture = shrunk(picture, longest)
    picture.flags.writeable = False
    return picture


def has_sound(path: Path) -> bool:
    """Whether a video has a sound track."""
    try:
        with av.open(str(path)) as container:
            return bool(container.streams.audio)
    except (FFmpegError, OSError):
        return False


def length_s(path: Path) -> float:
    """Return how long a video or sound says it is, in seconds; 0 where it says nothing."""
    try:
        with av.open(str(path)) as container:
            return float(Fraction(container.duration or 0, av.time_base))
    except (FFmpegError, OSError):
        return 0.0


def upright(image: Picture, degrees: int) -> Picture:
    """Return ``image`` turned by ``degrees`` against the clock, as telephones ask players to show what they recorded.

    A face that lies on its side is found and measured badly.
    """
    return np.ascontiguousarray(np.rot90(image, round(degrees / 90)))


def shrunk(image: Picture, longest: int) -> Picture:
    """Return ``image`` with its longest side at most ``longest`` pixels, its shape kept."""
    rows, columns = image.shape[:2]
    scale = longest / max(rows, columns)
    if scale >= 1:
        return image
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _only_sound(path: Path) -> UserFacing:
    advice = "Let its name end in that of a sound (.ogg, .wav, .m4a), or take it out of the folder."
    return UserFacing(f"{path} holds sound and no pictures.", advice=advice, code="E-RECORDING")


def _unreadable(path: Path, why: object) -> UserFacing:
    return UserFacing(f"{path} can't be read: {str(why).rstrip('.')}.", advice=_ADVICE, code="E-RECORDING")

"""Compose sample footage: a camera file from pictures and clips, a microphone file from stretches of speech.

Owns turning scenes into frames and writing both files. Runs once, at set-up, in the caller's thread; the result plays
through ``capture.playback`` like a device. The same scenes give the same pictures: noise and movement are seeded.
It never looks for pictures itself (``app.samples`` does).
"""

import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app.contract.errors import UserFacing
from capture.sample_drawings import draw_empty_room, draw_phone

WIDTH, HEIGHT, FPS = 640, 480, 15
_QUALITY = 4  # MJPEG's quantiser: 2 is best, 31 worst; 4 keeps a phone's edges
_NOISE_SIGMA = 2.5
_NOISE_FRAMES = 8
_SWAY_PERIOD_S = 7.0
_HISS = 12.0  # about -69 dBFS

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the camera sees for ``seconds``: a ``clip`` from ``start_s`` on, or ``stills`` in turn, or an empty room.

    ``stills`` are encoded pictures (JPEG, PNG), each shown for ``hold_s``. ``window`` (x, y, width, height, in the
    picture's pixels) is fitted into the frame with soft borders; without one the whole picture is stretched to the
    frame. ``phone`` draws a telephone into the picture.
    """

    seconds: float
    stills: tuple[bytes, ...] = ()
    clip: Path | None = None
    start_s: float = 0.0
    hold_s: float = 0.7
    window: tuple[int, int, int, int] | None = None
    phone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """``pcm`` int16 mono that begins ``at_s`` seconds into the sound."""

    at_s: float
    pcm: NDArray[np.int16]


def write_footage(path: Path, scenes: Sequence[Scene]) -> None:
    """Write the scenes as MJPEG in AVI, ``WIDTH`` × ``HEIGHT`` at ``FPS``. Raises ``UserFacing`` (E-SAMPLE)."""
    noise = _noise()
    with av.open(str(path), "w", format="avi") as container:
        stream = container.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        stream.codec_context.thread_count = 1
        stream.codec_context.qmin = stream.codec_context.qmax = _QUALITY
        for index, image in enumerate(_images(scenes)):
            grainy = cv2.add(_sway(image, index / FPS), noise[index % _NOISE_FRAMES], dtype=cv2.CV_8U)
            frame = av.VideoFrame.from_ndarray(grainy.astype(np.uint8, copy=False), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_sound(path: Path, seconds: float, rate: int, speeches: Sequence[Speech]) -> None:
    """Write a WAV file of ``seconds`` with the speeches over a quiet hiss. All of them have ``rate`` hertz."""
    hiss = np.random.default_rng(7).normal(0.0, _HISS, round(seconds * rate))
    for speech in speeches:
        begin = round(speech.at_s * rate)
        part = hiss[begin : begin + len(speech.pcm)]
        part += speech.pcm[: len(part)]
    samples = np.clip(hiss, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())


def _images(scenes: Sequence[Scene]) -> Iterator[Image]:
    """Yield every frame of the footage, before movement and noise."""
    done = 0
    end_s = 0.0
    for scene in scenes:
        end_s += scene.seconds
        count = round(end_s * FPS) - done
        yield from _scene(scene, count)
        done += count


def _scene(scene: Scene, count: int) -> Iterator[Image]:
    if scene.clip is not None:
        for image in _clip(scene.clip, scene.start_s, count):
            yield _framed(image, scene)
        return
    pictures = [_framed(_decoded(still), scene) for still in scene.stills] or [draw_empty_room(WIDTH, HEIGHT)]
    for index in range(count):
        yield pictures[int(index / FPS / scene.hold_s) % len(pictures)]


def _clip(path: Path, start_s: float, count: int) -> Iterator[Image]:
    """Yield ``count`` frames of a video file at ``FPS``; the last one stands where the file ends too early."""
    video = cv2.VideoCapture(str(path))
    try:
        rate = video.get(cv2.CAP_PROP_FPS) or float(FPS)
        position, image = -1, None
        for index in range(count):
            wanted = int((start_s + index / FPS) * rate)
            while position < wanted:
                good, following = video.read()
                if not good:
                    break
                position, image = position + 1, following
            if image is None:
                raise _unreadable(path.name)
            yield image.astype(np.uint8, copy=False)
    finally:
        video.release()


def _decoded(still: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise _unreadable("a picture")
    return image.astype(np.uint8, copy=False)


def _framed(image: Image, scene: Scene) -> Image:
    """Bring a picture to the frame's size, and the drawn telephone into it."""
    if scene.window is None:
        framed = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    else:
        x, y, width, height = scene.window
        framed = _fitted(image[y : y + height, x : x + width])
    return draw_phone(framed) if scene.phone else framed


def _fitted(part: Image) -> Image:
    height, width = part.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    size = (round(width * scale), round(height * scale))
    scaled = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    if size == (WIDTH, HEIGHT):
        return scaled.astype(np.uint8, copy=False)
    bordered = cv2.copyMakeBorder(
        scaled, top, HEIGHT - size[1] - top, left, WIDTH - size[0] - left, cv2.BORDER_REPLICATE
    )
    # A soft border is as good when blurred small, and forty times as quick.
    small = cv2.GaussianBlur(cv2.resize(bordered, (WIDTH // 8, HEIGHT // 8), interpolation=cv2.INTER_AREA), (0, 0), 3)
    soft = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    soft[top : top + size[1], left : left + size[0]] = scaled
    return soft


def _sway(image: Image, at_s: float) -> Image:
    """Zoom and pan a little, slowly, so that a still picture is not a frozen camera."""
    angle = 2 * np.pi * at_s / _SWAY_PERIOD_S
    scale = 1.015 + 0.01 * np.sin(angle)
    shift = (3 * np.cos(angle), 2 * np.sin(2 * angle))
    matrix = np.array([[scale, 0, (1 - scale) * WIDTH / 2 + shift[0]], [0, scale, (1 - scale) * HEIGHT / 2 + shift[1]]])
    moved = cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.uint8, copy=False)


def _noise() -> list[NDArray[np.int16]]:
    random = np.random.default_rng(1)
    shape = (HEIGHT, WIDTH, 3)
    return [random.normal(0.0, _NOISE_SIGMA, shape).round().astype(np.int16) for _ in range(_NOISE_FRAMES)]


def _unreadable(name: str) -> UserFacing:
    return UserFacing(
        f"The sample footage can't be made: {name} can't be read.", advice="Run the set-up again.", code="E-SAMPLE"
    )

"""Small real recordings for the console's tests: VP9 and Opus from the product's own encoders, drawn and computed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.contract.incidents import Track
from app.contract.policy import Codec
from app.contract.times import Instant
from capture.encoder import AudioEncoder, VideoEncoder
from capture.fragments import Fragment
from capture.frames import AudioChunk, Frame
from capture.sources import AUDIO_CHUNK, AUDIO_RATE

Image = NDArray[np.uint8]
Draw = Callable[[float], Image]
"""Draws the picture of a moment (seconds) as H×W×3 BGR."""

SEGMENT_MS = 5_000
CAMERA_FPS = 15
SCREEN_FPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The plaintext of one segment: initialisation bytes first, then the fragments."""

    track: Track
    mime: str
    start_ms: int
    duration_ms: int
    pieces: tuple[bytes, ...]


def draw_camera(seconds: float) -> Image:
    """A bright disc that goes round before a gradient that changes colour."""
    y, x = np.mgrid[0:240, 0:320]
    image = np.empty((240, 320, 3), np.uint8)
    image[..., 0] = 60 + x // 3
    image[..., 1] = 90 + y // 3
    image[..., 2] = int(80 + 60 * np.sin(seconds))
    cx, cy = 160 + 90 * np.cos(seconds), 120 + 70 * np.sin(seconds)
    image[(x - cx) ** 2 + (y - cy) ** 2 < 30**2] = (210, 235, 250)
    return image


def draw_screen(seconds: float) -> Image:
    """A page with lines, one more each second."""
    image = np.full((360, 640, 3), 245, np.uint8)
    image[0:30] = (150, 80, 40)
    for line in range(int(seconds) % 20):
        image[50 + line * 14 : 56 + line * 14, 40 : 300 + (line * 97) % 260] = 60
    return image


def camera(origin: Instant, seconds: float, draw: Draw = draw_camera) -> list[Cut]:
    """Record the camera."""
    return _video(Track.CAMERA, origin, seconds, CAMERA_FPS, draw)


def screen(origin: Instant, seconds: float, draw: Draw = draw_screen, codec: Codec = Codec.VP9) -> list[Cut]:
    """Record the screen."""
    return _video(Track.SCREEN, origin, seconds, SCREEN_FPS, draw, codec)


def microphone(origin: Instant, seconds: float) -> list[Cut]:
    """Record a quiet tone."""
    encoder = AudioEncoder(origin)
    fragments: list[Fragment] = []
    for number in range(int(seconds * AUDIO_RATE / AUDIO_CHUNK)):
        first = number * AUDIO_CHUNK
        time = (first + np.arange(AUDIO_CHUNK)) / AUDIO_RATE
        pcm = (2_000 * np.sin(2 * np.pi * 220 * time)).astype(np.int16)
        at = _at(origin, first / AUDIO_RATE)
        chunk = AudioChunk(source=Track.MICROPHONE, seq=number, at=at, rate=AUDIO_RATE, pcm=pcm)
        fragments += encoder.encode(chunk)
    return _cut(Track.MICROPHONE, encoder.mime, encoder.init, fragments + encoder.finish())


def _video(track: Track, origin: Instant, seconds: float, fps: int, draw: Draw, codec: Codec = Codec.VP9) -> list[Cut]:
    height, width = draw(0).shape[:2]
    encoder = VideoEncoder(
        track,
        width=width,
        height=height,
        fps=fps,
        codec=codec,
        timeline_origin=origin,
        segment_ms=SEGMENT_MS,
    )
    fragments: list[Fragment] = []
    for number in range(int(seconds * fps)):
        frame = Frame(source=track, seq=number, at=_at(origin, number / fps), image=draw(number / fps))
        fragments += encoder.encode(frame)
    return _cut(track, encoder.mime, encoder.init, fragments + encoder.finish())


def _at(origin: Instant, seconds: float) -> Instant:
    return Instant(mono_ns=origin.mono_ns + round(seconds * 1e9), utc_ms=origin.utc_ms + round(seconds * 1e3))


def _cut(track: Track, mime: str, init: bytes, fragments: list[Fragment]) -> list[Cut]:
    groups: list[list[Fragment]] = []
    for fragment in fragments:
        due = not groups or fragment.start_ms - groups[-1][0].start_ms >= SEGMENT_MS
        if due and fragment.opens_segment:
            groups.append([])
        groups[-1].append(fragment)
    return [
        Cut(
            track=track,
            mime=mime,
            start_ms=group[0].start_ms,
            duration_ms=group[-1].start_ms + group[-1].duration_ms - group[0].start_ms,
            pieces=(init, *(fragment.data for fragment in group)),
        )
        for group in groups
    ]

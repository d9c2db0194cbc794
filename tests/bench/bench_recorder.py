"""CPU of the recorder's path against the ffmpeg command line: same pictures, same codec settings, same run.

Ours is pictures as the sources yield them (BGR camera, BGRA screen) → colour conversion → VP9 → fragments → sealed →
spooled with syncs. Theirs is the same raw pictures → the same conversion → VP9 → a fragmented MP4 file. The sides take
turns, and the least of each counts.
"""

import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Codec
from capture.codecs import video_settings
from capture.encoder import VideoEncoder
from capture.frames import Frame
from capture.pictures import Picture
from capture.quality import STANDARD
from tests.bench.table import Row
from tests.unit.capture_parts import Workshop

SECONDS = 20
REPEATS = 3
GOAL = 1.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One kind of source: ``draw`` writes picture ``n`` as the source would yield it."""

    track: Track
    width: int
    height: int
    fps: int
    pixel_format: str
    draw: Callable[[int], Picture]


def run() -> list[Row]:
    """Measure camera, screen, and both together."""
    ffmpeg = shutil.which("ffmpeg")
    rows, sums = [], [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder:
        for shot in (camera_shot(), _screen()):
            raw = Path(folder) / f"{shot.track}.raw"
            _write(shot, raw)
            turns = [
                (_ours(shot, raw, Path(folder) / f"{shot.track}-{n}"), _theirs(ffmpeg, shot, raw) if ffmpeg else 0.0)
                for n in range(REPEATS)
            ]
            raw.unlink()
            ours, theirs = (min(turn[side] for turn in turns) for side in (0, 1))
            rows.append(_row(f"recorder, {shot.track} {shot.width}×{shot.height}@{shot.fps}", ours, theirs or None, ""))
            sums[0] += ours
            sums[1] += theirs
    rows.append(_row("recorder, both", sums[0], sums[1] or None, f"≤ {GOAL}"))
    return rows


def _row(name: str, ours: float, theirs: float | None, goal: str) -> Row:
    ratio = ours / theirs if theirs else None
    return Row(
        name=name, value=ours, unit="CPU s per recorded s", peer=theirs, ratio=ratio, goal=goal if theirs else ""
    )


def camera_shot() -> Shot:
    """A person-like blob moving over a textured room, with a sensor's noise in every picture."""
    noise = np.random.default_rng(7)
    room = cv2.GaussianBlur(noise.integers(0, 255, (520, 700, 3), dtype=np.uint8), (31, 31), 0)
    room = cv2.normalize(room, np.empty_like(room), 30, 220, cv2.NORM_MINMAX)
    grain = noise.normal(0, 2.5, (8, 480, 640, 3)).astype(np.int16)

    def draw(number: int) -> Picture:
        left, top = round(20 + 15 * np.sin(number / 20)), round(15 + 8 * np.cos(number / 13))
        image = room[:480, :640].copy()
        cv2.ellipse(image, (300 + left, 240 + top), (90, 120), 0, 0, 360, (120, 150, 200), -1)
        cv2.ellipse(image, (300 + left, 470 + top), (180, 130), 0, 0, 360, (90, 60, 40), -1)
        lit: Picture = np.clip(image.astype(np.int16) + grain[number % 8], 0, 255).astype(np.uint8)
        return lit

    return Shot(track=Track.CAMERA, width=640, height=480, fps=15, pixel_format="bgr24", draw=draw)


def _screen() -> Shot:
    """A page of text: something typed in every picture, a clock each second, scrolled every three seconds."""
    font = cv2.FONT_HERSHEY_SIMPLEX

    def draw(number: int) -> Picture:
        page = np.full((1080, 1920, 4), 255, np.uint8)
        scrolled = number // 15 * 120
        for line in range(34):
            text = f"{line + scrolled // 30}. Which of these statements about sampling is right, and why is it so?"
            cv2.putText(page, text, (60, 70 + line * 30 - scrolled % 30), font, 0.8, (40, 40, 40, 255), 2)
        cv2.putText(page, "typed" * 2 + "x" * (number % 60), (60, 1060), font, 0.8, (160, 60, 20, 255), 2)
        cv2.putText(page, f"00:{number // 5:02}", (1780, 50), font, 1.0, (0, 0, 160, 255), 2)
        return page

    return Shot(track=Track.SCREEN, width=1920, height=1080, fps=5, pixel_format="bgra", draw=draw)


def _write(shot: Shot, raw: Path) -> None:
    with raw.open("wb") as file:
        for number in range(SECONDS * shot.fps):
            file.write(shot.draw(number).tobytes())


def _ours(shot: Shot, raw: Path, folder: Path) -> float:
    clock = ManualClock()
    workshop = Workshop(folder, clock=clock)
    channels = 4 if shot.pixel_format == "bgra" else 3
    size = shot.width * shot.height * channels
    before = _cpu(resource.RUSAGE_SELF)
    encoder = VideoEncoder(
        shot.track,
        width=shot.width,
        height=shot.height,
        fps=shot.fps,
        codec=Codec.VP9,
        timeline_origin=workshop.origin,
    )
    segmenter = workshop.segmenter(shot.track, mime=encoder.mime, init=encoder.init)
    with raw.open("rb", buffering=0) as file:
        for number in range(SECONDS * shot.fps):
            image = np.frombuffer(file.read(size), np.uint8).reshape(shot.height, shot.width, channels)[:, :, :3]
            frame = Frame(source=shot.track, seq=number, at=clock.now(), image=image)
            clock.advance(1 / shot.fps)
            for fragment in encoder.encode(frame):
                segmenter.push(fragment)
    for fragment in encoder.finish():
        segmenter.push(fragment)
    segmenter.close()
    spent = _cpu(resource.RUSAGE_SELF) - before
    workshop.close()
    return spent / SECONDS


def _theirs(ffmpeg: str, shot: Shot, raw: Path) -> float:
    """Return what all pictures take beyond the first one: starting a program is not what is compared."""
    return (_encoded_by(ffmpeg, shot, raw, SECONDS * shot.fps) - _encoded_by(ffmpeg, shot, raw, 1)) / SECONDS


def _encoded_by(ffmpeg: str, shot: Shot, raw: Path, pictures: int) -> float:
    settings = video_settings(shot.track, Codec.VP9, STANDARD)
    options = [part for name, value in settings.options.items() for part in (f"-{name}", value)]
    rate = ["-b:v", str(settings.bit_rate), "-g", str(5 * shot.fps), "-threads", "1"]
    source = ["-f", "rawvideo", "-pix_fmt", shot.pixel_format, "-s", f"{shot.width}x{shot.height}"]
    muxer = ["-movflags", "empty_moov+default_base_moof+frag_keyframe", "-frag_duration", "250000"]
    before = _cpu(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [
            *(ffmpeg, "-v", "error", "-nostdin", "-y", "-filter_threads", "1"),
            *(*source, "-r", str(shot.fps), "-i", str(raw), "-pix_fmt", "yuv420p", "-frames:v", str(pictures)),
            *("-c:v", settings.encoder, *rate, *options, *muxer, str(raw.with_suffix(".mp4"))),
        ],
        check=True,
    )
    return _cpu(resource.RUSAGE_CHILDREN) - before


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime

"""Recordings drawn for the tests of the evaluation, and detectors that see and hear what was drawn."""

import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frames import AudioChunk, Frame
from detectors.base import Observation
from detectors.build import Detectors
from detectors.catalogue import Form, ModelCard
from tests.unit.detector_models import write

GREY, BLUE, RED = (90, 90, 90), (220, 30, 30), (30, 30, 220)
"""What is drawn (BGR): nobody, one person, one person with a phone."""


class SeesColours:
    """Sees a person where the picture is blue or red, and a phone where it is red."""

    name = "objects"

    def __init__(self, card: ModelCard) -> None:
        self.card = card

    def detect(self, frame: Frame) -> list[Observation]:
        """Return what the colour stands for, in a box of 9 pixels at the corner."""
        blue, _, red = frame.image.reshape(-1, 3).mean(0)
        labels = [] if max(blue, red) < 150 else ["person", "phone"] if red > blue else ["person"]
        return [
            Observation(detector=self.name, at=frame.at, label=label, score=0.9, box=(0, 0, 9, 9)) for label in labels
        ]


class HearsLoudness:
    """Hears speech in every loud chunk."""

    name = "speech"

    def __init__(self, card: ModelCard) -> None:
        self.card = card

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        """Return one window for each chunk."""
        score = float(np.abs(chunk.pcm).max() > 1000)
        return [Observation(detector=self.name, at=chunk.at, label="speech", score=score)]


def card(folder: Path, form: Form) -> ModelCard:
    """Return the card of a model that is never run."""
    return write(folder, b"drawn", form, (480, 640))[1]


def colours_and_loudness(folder: Path) -> Callable[[], Detectors]:
    """Return what builds both detectors; their models' files lie in ``folder``."""
    seen, heard = card(folder, Form.YOLO_DENSE), card(folder, Form.SILERO)
    return lambda: Detectors(pictures=(SeesColours(seen),), sounds=(HearsLoudness(heard),))


def media(root: Path) -> Path:
    """Draw into ``root`` one absence, a phone that is found, one that is not, two pictures, a talk; return it."""
    video(root / "desk/exam.avi", (BLUE, 4), (GREY, 8), (BLUE, 4), (RED, 4), (BLUE, 2))
    events = "kind,start_s,end_s,light\nabsent,4,12,dark\nphone,16,20,day\nphone,5,8,dark\n"
    (root / "desk/exam.events.csv").write_text(events)
    video(root / "desk/honest.avi", (BLUE, 3), (RED, 4), (BLUE, 3))
    (root / "desk/honest.events.csv").write_text("kind,start_s,end_s\n")
    picture(root / "hands/call_1.png", BLUE)
    picture(root / "hands/wallet.png", RED)
    rules = '[[truth]]\nmatch = "call_*"\nname = "hand at ear"\ncomplete = ["phone"]\n'
    rules += '[[truth]]\nmatch = "wallet.*"\nname = "wallet"\ncomplete = ["phone"]\nevents = [["object_in_hand"]]\n'
    (root / "hands/truth.toml").write_text(rules)
    sound(root / "talk/a.wav", (2, 0), (4, 9000), (6, 0))
    (root / "talk/a.rttm").write_text("SPEAKER a 1 2.0 4.0 <NA> <NA> x <NA> <NA>\n")
    return root


def video(path: Path, *scenes: tuple[tuple[int, int, int], float]) -> None:
    """Write scenes of (colour, seconds) at 10 frames a second, without sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = [colour for colour, seconds in scenes for _ in range(round(seconds * 10))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for index, colour in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(drawn(colour), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def drawn(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return a picture of one colour."""
    return np.full((48, 64, 3), colour, np.uint8)


def picture(path: Path, colour: tuple[int, int, int]) -> None:
    """Write a picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), drawn(colour))


def sound(path: Path, *stretches: tuple[float, int]) -> None:
    """Write stretches of (seconds, loudness of 32767) as a WAV of 16 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rate = 16_000
    pcm = [np.sin(np.arange(round(seconds * rate)) / 5) * loud for seconds, loud in stretches]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.concatenate(pcm).astype("<i2").tobytes())

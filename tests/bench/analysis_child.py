"""The whole analysis in a process of its own, as the recorder runs it: for its cost, and as a load beside a page.

``python -m tests.bench.analysis_child MODELS PICTURES SOUND cost SECONDS`` plays so many seconds as fast as it can, by
the times on the frames, and prints what they cost as JSON. With ``live`` it plays in real time, through the product's
own threads and priorities, until its input is closed, and then prints how often it looked.
"""

import itertools
import json
import resource
import select
import sys
import time
import wave
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from app.contract.incidents import Track
from app.contract.policy import Detection
from app.contract.times import Instant
from app.mailbox import Bounded, Latest
from capture.frames import AudioChunk, Frame
from detectors.build import build
from detectors.catalogue import load_catalogue
from detectors.pipeline import DetectionPipeline, Look
from detectors.scheduler import Scheduler

FPS = 15
CHUNK_S = 0.02


class Analysis:
    """The pipeline at the default policy with the models in a folder, and what it did."""

    def __init__(self, models: Path, *, adaptive: bool) -> None:
        catalogue, policy, numbers = load_catalogue(), Detection(), itertools.count(1)
        found = {card.name: models / card.file for card in catalogue if (models / card.file).exists()}
        began, used = time.perf_counter(), time.process_time()
        detectors = build(policy, found, catalogue)
        self.cold_s, self.cold_cpu_s = time.perf_counter() - began, time.process_time() - used
        self.frames: Latest[Frame] = Latest()
        self.sound: Bounded[AudioChunk] = Bounded(250)
        self.looks: Counter[str] = Counter()
        self.pipeline = DetectionPipeline(
            detectors=detectors,
            policy=policy,
            frames=self.frames,
            sound=self.sound,
            new_id=lambda: str(next(numbers)),
            on_incident=lambda _incident: None,
            on_look=self._count,
            scheduler=Scheduler(policy, [one.name for one in detectors.pictures], adaptive=adaptive),
        )

    def _count(self, look: Look) -> None:
        self.looks[look.detector] += 1

    def play(self, camera: Iterator[Frame], microphone: Iterator[AudioChunk], seconds: float) -> float:
        """Return the CPU seconds that looking and listening took; reading the pictures is left out."""
        used, chunk = 0.0, next(microphone)
        for frame in itertools.takewhile(lambda one: one.at.mono_ns < seconds * 1e9, camera):
            began = time.process_time()
            self.pipeline.look(frame)
            while chunk.at <= frame.at:
                self.pipeline.hear(chunk)
                chunk = next(microphone)
            used += time.process_time() - began
        return used

    def live(self, camera: Iterator[Frame], microphone: Iterator[AudioChunk]) -> None:
        """Play in real time until the input is closed; after a stop nothing is caught up."""
        chunk, began = next(microphone), time.monotonic()
        with self.pipeline:
            for frame in camera:
                due = frame.at.mono_ns / 1e9
                began = max(began, time.monotonic() - due - 0.5)
                if select.select([sys.stdin], [], [], max(0.0, began + due - time.monotonic()))[0]:
                    return
                self.frames.put(frame)
                while chunk.at <= frame.at:
                    self.sound.offer(chunk)
                    chunk = next(microphone)


def main() -> None:
    """Run as the arguments say."""
    models, folder, sound, how, *rest = sys.argv[1:]
    analysis = Analysis(Path(models), adaptive=how == "live")
    camera, microphone = _frames(Path(folder)), _chunks(Path(sound))
    if how == "live":
        pictures = list(itertools.islice(camera, len(list(Path(folder).iterdir()))))  # reading them is no part of it
        print("ready", flush=True)
        analysis.live(_again(pictures), microphone)
        print(json.dumps({"looks": analysis.looks}))
        return
    seconds = float(rest[0])
    core = analysis.play(camera, microphone, seconds) / seconds
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cold = {"cold_s": analysis.cold_s, "cold_cpu_s": analysis.cold_cpu_s}
    print(json.dumps({**cold, "core": core, "mb": peak_mb, "looks": analysis.looks}))


def _frames(folder: Path) -> Iterator[Frame]:
    """The pictures of a folder again and again, 15 a second."""
    for seq, path in enumerate(itertools.cycle(sorted(folder.iterdir()))):
        image = np.asarray(cv2.imread(str(path)), np.uint8)
        yield Frame(source=Track.CAMERA, seq=seq, at=_at(seq / FPS), image=image)


def _again(pictures: list[Frame]) -> Iterator[Frame]:
    for seq, picture in enumerate(itertools.cycle(pictures)):
        yield replace(picture, seq=seq, at=_at(seq / FPS))


def _chunks(sound: Path) -> Iterator[AudioChunk]:
    with wave.open(str(sound)) as file:
        rate, pcm = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16)
    size = round(rate * CHUNK_S)
    for seq, start in enumerate(itertools.cycle(range(0, len(pcm) - size + 1, size))):
        heard = pcm[start : start + size]
        yield AudioChunk(source=Track.MICROPHONE, seq=seq, at=_at(seq * CHUNK_S), rate=rate, pcm=heard)


def _at(seconds: float) -> Instant:
    return Instant(mono_ns=round(seconds * 1e9), utc_ms=round(seconds * 1e3))


if __name__ == "__main__":
    main()

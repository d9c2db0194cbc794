"""Cost of one look by each detector, and the object detector against plain ultralytics: speed and agreement.

The peer runs in the Python named by ``FAIRLOCK_PEER_PYTHON``, else in the one that ``make models`` set up, else in this
one if it has ultralytics. Both sides run the same weights, rebuilt from public exports (docs/models.md); the rows name
them. Needs the shared models and pictures: ``FAIRLOCK_SHARED``, else ``shared`` beside the checkout. CPU time says more
than wall time on a machine that does other things too.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.contract.incidents import Track
from app.contract.times import Instant
from capture.frames import AudioChunk, Frame
from detectors.boxes import Floats
from detectors.catalogue import load_catalogue
from detectors.faces import load_face_detector
from detectors.objects import ObjectDetector, load_object_detector
from detectors.speech import load_speech_detector
from tests.bench.table import Row

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("FAIRLOCK_SHARED", ROOT.parent / "shared"))
MODELS = SHARED / "models"
MODELS_PYTHON = ROOT / "build" / "models-environment" / "bin" / "python"
PEER_WEIGHTS = "yolo11n_recon.pt"
ROUNDS = 2
CONFIDENCE = 0.25
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Median milliseconds of one look."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peer:
    """What ultralytics took and found: by picture [N, 6], left, top, right, bottom, score, class."""

    cost: Cost
    boxes: Mapping[str, Floats]


def run() -> list[Row]:
    """Measure; a single row says so where models or pictures are not at hand."""
    if not MODELS.is_dir():
        return [_row("detection: the shared models are not beside this checkout", 0, "")]
    webcam = _webcam()
    peer = _peer(webcam)
    rows = [*_speed("yolo11n-int8", webcam, peer), *_speed("yolo11n", webcam, peer)]
    if peer is not None:
        rows += _agreement("webcam 640×480", webcam, peer)
        coco = _coco()
        if (peer := _peer(coco)) is not None:
            rows += _agreement("COCO at any size", coco, peer)
    return [*rows, _faces_row(webcam), _speech_row()]


def _speed(name: str, pictures: Mapping[str, Image], peer: Peer | None) -> list[Row]:
    detector = _objects(name)
    ours = _cost(lambda image: detector.find(image, CONFIDENCE), pictures)
    theirs = peer.cost if peer is not None else None
    what = f"detection: {name} 640×480{'' if peer else ' (ultralytics is not installed)'}"
    return [
        _row(
            f"{what}, wall a picture",
            ours.wall_ms,
            "ms",
            theirs.wall_ms if theirs else None,
            goal="≥ 2" if theirs else "",
        ),
        _row(f"{what}, CPU a picture", ours.cpu_ms, "ms", theirs.cpu_ms if theirs else None),
    ]


def _row(name: str, value: float, unit: str, peer: float | None = None, *, goal: str = "") -> Row:
    ratio = round(peer / value, 2) if peer is not None and value else None
    return Row(name=name, value=round(value, 3), unit=unit, peer=peer, ratio=ratio, goal=goal)


def _objects(name: str) -> ObjectDetector:
    card = load_catalogue().named(name)
    floors = dict.fromkeys(("person", "phone", "book", "laptop"), CONFIDENCE)
    return load_object_detector(MODELS / card.file, card, floors)


def _webcam() -> Mapping[str, Image]:
    """Forty pictures of a webcam; they lie there as 640×640 made from 4:3."""
    paths = sorted((SHARED / "media" / "webcam_objects" / "images").glob("*.jpg"))[:40]
    return {path.stem: np.asarray(cv2.resize(_read(path), (640, 480)), np.uint8) for path in paths}


def _coco() -> Mapping[str, Image]:
    return {path.stem: _read(path) for path in sorted((SHARED / "coco" / "images").glob("*.jpg"))[:60]}


def _read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def _cost(look: Callable[[Image], object], pictures: Mapping[str, Image]) -> Cost:
    wall, cpu = [], []
    for _ in range(ROUNDS):
        for image in pictures.values():
            began, used = time.perf_counter(), time.process_time()
            look(image)
            wall.append((time.perf_counter() - began) * 1e3)
            cpu.append((time.process_time() - used) * 1e3)
    return Cost(wall_ms=statistics.median(wall), cpu_ms=statistics.median(cpu))


def _peer(pictures: Mapping[str, Image]) -> Peer | None:
    """Run plain ultralytics in its own process; ``None`` where it is not installed."""
    python = os.environ.get("FAIRLOCK_PEER_PYTHON") or (MODELS_PYTHON if MODELS_PYTHON.exists() else sys.executable)
    script = Path(__file__).with_name("peer_ultralytics.py")
    with tempfile.TemporaryDirectory() as folder:
        for name, image in pictures.items():
            cv2.imwrite(str(Path(folder) / f"{name}.png"), image)
        command = [python, str(script), str(MODELS / PEER_WEIGHTS), folder, str(ROUNDS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  ultralytics: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    answer = json.loads(done.stdout.splitlines()[-1])
    return Peer(
        cost=Cost(wall_ms=answer["wall_ms"], cpu_ms=answer["cpu_ms"]),
        boxes={Path(name).stem: np.array(rows, np.float32).reshape(-1, 6) for name, rows in answer["boxes"].items()},
    )


def _agreement(what: str, pictures: Mapping[str, Image], peer: Peer) -> list[Row]:
    """Compare our FP32 boxes with the peer's (left, top, right, bottom, score, class), picture by picture."""
    detector = _objects("yolo11n")
    alone, distances, differences = 0, [0.0], [0.0]
    for name, image in pictures.items():
        found = detector.find(image, CONFIDENCE)
        ours = np.column_stack([found.boxes, found.scores, found.classes])
        pairs = _pairs(ours, peer.boxes[name])
        alone += len(ours) + len(peer.boxes[name]) - 2 * len(pairs)
        distances += [float(np.abs(mine[:4] - theirs[:4]).max()) for mine, theirs in pairs]
        differences += [float(abs(mine[4] - theirs[4])) * 1e3 for mine, theirs in pairs]
    boxes = len(distances) - 1
    both = f"detection: yolo11n FP32 and ultralytics on {PEER_WEIGHTS}, {what}"
    return [
        _row(f"{both}: boxes in both", boxes, "boxes"),
        _row(f"{both}: boxes in one only", alone, "boxes", goal="= 0"),
        _row(f"{both}: largest distance of an edge", max(distances), "px", goal="≤ 1"),
        _row(f"{both}: largest difference of a score", max(differences), "1/1000", goal="≤ 10"),
    ]


def _pairs(ours: Floats, theirs: Floats) -> list[tuple[Floats, Floats]]:
    """Pair boxes of one class that lie within 5 px of each other, each at most once."""
    left, pairs = list(theirs), []
    for mine in ours:
        near = [index for index, row in enumerate(left) if row[5] == mine[5] and np.abs(row[:4] - mine[:4]).max() < 5]
        if near:
            best = min(near, key=lambda index: float(np.abs(left[index][:5] - mine[:5]).max()))
            pairs.append((mine, left.pop(best)))
    return pairs


def _faces_row(pictures: Mapping[str, Image]) -> Row:
    card = load_catalogue().named("yunet")
    detector = load_face_detector(MODELS / card.file, card, 0.5)
    at = Instant(mono_ns=0, utc_ms=0)
    cost = _cost(lambda image: detector.detect(Frame(source=Track.CAMERA, seq=0, at=at, image=image)), pictures)
    return _row("detection: YuNet 320×240, CPU a picture", cost.cpu_ms, "ms")


def _speech_row() -> Row:
    """CPU per second of sound at 48 kHz (made from 16 kHz), change of rate included."""
    with wave.open(str(SHARED / "media" / "speech" / "silero_test.wav")) as file:
        pcm = np.repeat(np.frombuffer(file.readframes(file.getnframes()), np.int16), 3)
    card = load_catalogue().named("silero-vad")
    detector = load_speech_detector(MODELS / card.file, card)
    at, seconds, used = Instant(mono_ns=0, utc_ms=0), len(pcm) / 48_000, time.process_time()
    for seq, chunk in enumerate(np.split(pcm, range(960, len(pcm), 960))):
        detector.feed(AudioChunk(source=Track.MICROPHONE, seq=seq, at=at, rate=48_000, pcm=chunk))
    return _row(
        "detection: speech, CPU a second of sound at 48 kHz", (time.process_time() - used) * 1e3 / seconds, "ms"
    )

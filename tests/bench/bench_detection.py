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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.contract.incidents import Track
from app.contract.times import Instant
from capture.frames import AudioChunk
from detectors.boxes import Floats
from detectors.catalogue import load_catalogue
from detectors.faces import load_face_finder
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


class Peer:
    """Plain ultralytics in a process of its own, with ``pictures`` read; its ``with`` block ends the process."""

    def __init__(self, pictures: Mapping[str, Image], *, threads: int | None = None) -> None:
        """``threads``: of its computations; else as many as it takes by itself."""
        python = os.environ.get("FAIRLOCK_PEER_PYTHON") or (MODELS_PYTHON if MODELS_PYTHON.exists() else sys.executable)
        script = Path(__file__).with_name("peer_ultralytics.py")
        with tempfile.TemporaryDirectory() as folder:
            for name, image in pictures.items():
                cv2.imwrite(str(Path(folder) / f"{name}.png"), image)
            self._process = subprocess.Popen(
                [python, str(script), str(MODELS / PEER_WEIGHTS), folder, *([str(threads)] if threads else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            self.is_there = self._answer() == "ready"

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        _out, said = self._process.communicate()
        if self._process.returncode:
            print(f"  ultralytics: {said.strip().splitlines()[-1]}", file=sys.stderr)

    def look(self, name: str) -> tuple[float, float, Floats]:
        """Return wall and CPU milliseconds of one look, and the boxes [N, 6]: edges, score, class."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        answer = json.loads(self._answer())
        return answer["wall_ms"], answer["cpu_ms"], np.array(answer["boxes"], np.float32).reshape(-1, 6)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            if line.strip() == "ready" or line.startswith("{"):
                return line.strip()
        return ""


def run() -> list[Row]:
    """Measure; a single row says so where models or pictures are not at hand."""
    if not MODELS.is_dir():
        return [_row("detection: the shared models are not beside this checkout", 0, "")]
    webcam, coco = _webcam(), _coco()
    rows = []
    with Peer({**webcam, **coco}) as peer, Peer(webcam, threads=1) as single:
        other = peer if peer.is_there else None
        rows += _speed(("yolo11n-int8", "yolo11n"), webcam, {"as it comes": peer, "on one thread": single})
        if other is not None:
            rows += _agreement("webcam 640×480", webcam, other)
            rows += _agreement("COCO at any size", coco, other)
    return [*rows, _faces_row(webcam), _speech_row()]


def _speed(names: Sequence[str], pictures: Mapping[str, Image], peers: Mapping[str, Peer]) -> list[Row]:
    """Every model and the peers look at each picture in turn. Ours always have one thread."""
    detectors = {name: _objects(name) for name in names}
    there = {how: peer for how, peer in peers.items() if peer.is_there}
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in (*names, *there)}
    for _ in range(ROUNDS):
        for picture, image in pictures.items():
            for name, detector in detectors.items():
                took[name].append(_time(detector, image))
            for how, peer in there.items():
                took[how].append(peer.look(picture)[:2])
    rows = []
    for name in names:
        for index, kind in enumerate(("wall", "CPU")):
            ours = _median(took[name], index)
            what = f"detection: {name} 640×480, {kind} a picture"
            goal = "≥ 2" if name == "yolo11n" else "≥ 2.5"
            rows += [
                _row(f"{what} / ultralytics {how}", ours, "ms", _median(took[how], index), goal=goal) for how in there
            ] or [_row(f"{what} (ultralytics is not installed)", ours, "ms")]
    return rows


def _median(took: Sequence[tuple[float, float]], index: int) -> float:
    return statistics.median(one[index] for one in took)


def _time(detector: ObjectDetector, image: Image) -> tuple[float, float]:
    began, used = time.perf_counter(), time.process_time()
    detector.find(image, CONFIDENCE)
    return (time.perf_counter() - began) * 1e3, (time.process_time() - used) * 1e3


def _row(name: str, value: float, unit: str, peer: float | None = None, *, goal: str = "") -> Row:
    ratio = round(peer / value, 2) if peer is not None and value else None
    return Row(name=name, value=round(value, 3), unit=unit, peer=peer, ratio=ratio, goal=goal)


def _objects(name: str) -> ObjectDetector:
    card = load_catalogue().named(name)
    return load_object_detector(MODELS / card.file, card)


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


def _agreement(what: str, pictures: Mapping[str, Image], peer: Peer) -> list[Row]:
    """Compare our FP32 boxes with the peer's (left, top, right, bottom, score, class), picture by picture."""
    detector = _objects("yolo11n")
    alone, distances, differences = 0, [0.0], [0.0]
    for name, image in pictures.items():
        found = detector.find(image, CONFIDENCE)
        ours = np.column_stack([found.boxes, found.scores, found.classes])
        theirs_all = peer.look(name)[2]
        pairs = _pairs(ours, theirs_all)
        alone += len(ours) + len(theirs_all) - 2 * len(pairs)
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
    finder = load_face_finder(MODELS / card.file, card, 0.5)
    cost = _cost(finder.find, pictures)
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

"""What closer looks and honest names change: phones noticed, wallets called phones, posters counted; what it costs.

The peer is the first look alone at the same thresholds, which is how the detector was before. The pictures of one
recording are shown in their order, half a second apart; others one by one, each to a detector that knows nothing yet.
Sample sizes are in the names: one man, his phone, wallet and earphone case, and a few dozen strangers.
"""

import functools
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.contract.incidents import Track
from app.contract.policy import Detection
from app.contract.times import Instant
from capture.frames import Frame
from detectors.base import Observation
from detectors.catalogue import Task, load_catalogue
from detectors.closer import Closer
from detectors.coco import COCO80, HELD
from detectors.faces import FaceFinder, load_face_finder
from detectors.naming import Naming, least_scores
from detectors.object_watch import ObjectWatch
from detectors.objects import ObjectDetector, load_object_detector
from detectors.scene import Scene
from detectors.thresholds import floors
from tests.bench.bench_detection import MODELS, SHARED
from tests.bench.table import Row
from tests.unit.detector_models import FirstLook

Image = NDArray[np.uint8]
POLICY = Detection(phones=True, books=True)
NAME, CLOSER = "yolo11n-int8", "yolo11n-int8-small"
POSTER_AT = (20, 10)


@dataclass(slots=True)
class _Tally:
    """Of how many looks how many told it, before and now; and the CPU time of each look in ms."""

    looks: int = 0
    before: int = 0
    now: int = 0
    first_ms: list[float] = field(default_factory=list)
    all_ms: list[float] = field(default_factory=list)

    def row(self, name: str, goal: str = "") -> Row:
        ours, theirs = (100 * count / max(self.looks, 1) for count in (self.now, self.before))
        return Row(f"objects: {name} ({self.looks} looks)", ours, "%", theirs, None, goal)


def run() -> list[Row]:
    """Measure; a single row says so where models or pictures are not at hand."""
    if not MODELS.is_dir():
        return [Row("objects: the shared models are not beside this checkout", 0, "", None, None, "")]
    rows, cost = [], _Tally()
    for index, name in ((1, "a phone"), (2, "a wallet"), (0, "an earphone case")):
        noticed, called = _Tally(), _Tally()
        for before, now in _shown(_webcam(index), cost):
            _count(noticed, bool(_things(before)), bool(_things(now)))
            _count(called, "phone" in _things(before), "phone" in _things(now))
        rows += [noticed.row(f"{name} in a hand noticed"), called.row(f"{name} called a phone", _goal(index))]
    rows += _strangers() + [_hidden(), _poster()]
    first, both = (statistics.median(times) for times in (cost.first_ms, cost.all_ms))
    return [*rows, Row("objects: CPU of a look, closer look included", both, "ms", first, round(both / first, 2), "")]


def _goal(index: int) -> str:
    return "" if index == 1 else "≤ 2"


def _strangers() -> list[Row]:
    """People with nothing in a hand, and hands held to an ear."""
    rows = []
    for name, pictures in (("COCO, people with nothing to hold", _unladen), ("hands, four at an ear", _hands)):
        called, held = _Tally(), _Tally()
        for image in pictures():
            for before, now in _shown(iter([image])):
                _count(called, "phone" in _things(before), "phone" in _things(now))
                _count(held, bool(_things(before)), bool(_things(now)))
        rows += [called.row(f"{name}: called a phone", "≤ 2"), held.row(f"{name}: anything told")]
    return rows


def _hidden() -> Row:
    """Two students seen from the ceiling; from 5 s on one handles a phone, partly hidden."""
    tally = _Tally()
    for index, (before, now) in enumerate(_shown(_film("room_exam/use_phone_1.mp4"))):
        if index >= 10:
            _count(tally, "phone" in _things(before), bool({"phone", "in_hand"} & _things(now)))
    return tally.row("a phone partly hidden, seen from above, noticed")


def _poster() -> Row:
    """A man at a webcam; on the wall behind him a portrait, with noise of its own as a camera would give it."""
    tally = _Tally()
    for before, now in _shown(_with_poster(_film("webcam_gaze/center_left_center.mp4"))):
        people = [sum(one.label == "person" for one in seen) for seen in (before, now)]
        _count(tally, people[0] > 1, people[1] > 1)
    return tally.row("a poster counted as a person")


def _count(tally: _Tally, before: bool, now: bool) -> None:
    tally.looks, tally.before, tally.now = tally.looks + 1, tally.before + before, tally.now + now


def _things(seen: list[Observation]) -> set[str]:
    """Return the labels of things above the threshold by which incidents are judged."""
    least = least_scores(POLICY, load_catalogue().named(NAME))
    return {one.label for one in seen if one.label not in ("person", "background") and one.score >= least[one.label]}


def _shown(
    images: Iterator[Image], cost: _Tally | None = None
) -> Iterator[tuple[list[Observation], list[Observation]]]:
    """Show ``images`` to the first look alone and to the whole detector, which looks afresh; yield what they tell."""
    first, scene = _model(NAME), Scene()
    alone = FirstLook(first, floors(POLICY, Task.OBJECTS, first.card))
    whole = ObjectWatch(first, Closer(_model(CLOSER)), Naming(POLICY, first.card), scene)
    for index, image in enumerate(images):
        at = Instant(mono_ns=index * 500_000_000, utc_ms=index * 500)
        frame = Frame(source=Track.CAMERA, seq=index, at=at, image=image)
        scene.saw_faces(at, [face.box for face in _faces().find(image)])
        used = time.process_time()
        now = whole.detect(frame)
        took = (time.process_time() - used) * 1e3
        used = time.process_time()
        before = alone.detect(frame)
        if cost is not None:
            cost.first_ms.append((time.process_time() - used) * 1e3)
            cost.all_ms.append(took)
        yield before, now


@functools.cache
def _model(name: str) -> ObjectDetector:
    card = load_catalogue().named(name)
    return load_object_detector(MODELS / card.file, card)


@functools.cache
def _faces() -> FaceFinder:
    card = load_catalogue().named("yunet")
    return load_face_finder(MODELS / card.file, card, floors(POLICY, Task.FACES, card)["face"])


def _webcam(wanted: int) -> Iterator[Image]:
    """The pictures with one object in the order of the recording; they lie there as 640×640 made from 4:3."""
    folder = SHARED / "media" / "webcam_objects"
    labels = [path for path in (folder / "labels").glob("*.txt") if path.read_text().split()[:1] == [str(wanted)]]
    for path in sorted(labels, key=lambda path: (int(path.stem.split("_")[1]), path.stem)):
        yield _fitted(folder / "images" / f"{path.stem}.jpg", (640, 480))


def _unladen() -> Iterator[Image]:
    for path in sorted((SHARED / "coco" / "labels").rglob("*.txt")):
        classes = {COCO80[int(line.split()[0])] for line in path.read_text().splitlines() if line.strip()}
        if "person" in classes and not classes & HELD:
            yield _fitted(next((SHARED / "coco" / "images").rglob(f"{path.stem}.jpg")))


def _hands() -> Iterator[Image]:
    return (_fitted(path) for path in sorted((SHARED / "media" / "hands_no_phone").glob("*.jpg")))


def _fitted(path: Path, size: tuple[int, int] | None = None) -> Image:
    image = np.asarray(cv2.imread(str(path)), np.uint8)
    return image if size is None else np.asarray(cv2.resize(image, size), np.uint8)


def _film(name: str) -> Iterator[Image]:
    """Two pictures a second."""
    film = cv2.VideoCapture(str(SHARED / "media" / name))
    step = max(1, round((film.get(cv2.CAP_PROP_FPS) or 10) / 2))
    index = 0
    while (answer := film.read())[0]:
        if index % step == 0:
            yield np.asarray(answer[1], np.uint8)
        index += 1


def _with_poster(images: Iterator[Image]) -> Iterator[Image]:
    noise = np.random.default_rng(1)
    poster = cv2.resize(_fitted(SHARED / "media" / "images" / "portrait.jpg"), (120, 150))
    left, top = POSTER_AT
    for image in images:
        grainy = poster + noise.normal(0, 2, poster.shape)
        shown = image.copy()
        shown[top : top + 150, left : left + 120] = np.clip(grainy, 0, 255).astype(np.uint8)
        yield shown

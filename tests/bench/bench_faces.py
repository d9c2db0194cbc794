"""Faces, heads and eyes: what a look costs, whether heads agree with another network, and what spoils the measurement.

The peer is FSA-Net (Yang et al., CVPR 2019), a network trained for head pose, on the same pictures in the same run.
Spoilt pictures are the same ones with glasses, hats, masks and darkness put in: drawn, so that the truth is what the
unspoilt picture gave. Needs the shared models and media: ``FAIRLOCK_SHARED``, else ``shared`` beside the checkout.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from detectors.boxes import Floats
from detectors.catalogue import load_catalogue
from detectors.faces import Face, FaceFinder, load_face_finder
from detectors.gaze import eye_turn
from detectors.head_pose import head_pose
from detectors.hints import hints
from detectors.mesh import FaceMesh, Mesh, load_face_mesh
from tests.bench.table import Row

SHARED = Path(os.environ.get("FAIRLOCK_SHARED", Path(__file__).parents[2].parent / "shared"))
BELIEVED = 0.5
Picture = NDArray[np.uint8]


class Measuring:
    """Finder and mesh; ``look`` returns the nearest face and its mesh, or nothing."""

    def __init__(self) -> None:
        cards = load_catalogue()
        finder, mesh = cards.named("yunet"), cards.named("face-mesh")
        self.finder: FaceFinder = load_face_finder(SHARED / "models" / finder.file, finder, 0.5)
        self.mesh: FaceMesh = load_face_mesh(SHARED / "models" / mesh.file, mesh)

    def look(self, image: Picture) -> tuple[Face, Mesh] | None:
        """Return what a look gives."""
        faces = self.finder.find(image)
        if not faces:
            return None
        nearest = max(faces, key=lambda face: (face.box[2] - face.box[0]) * (face.box[3] - face.box[1]))
        return nearest, self.mesh.measure(image, nearest.box, nearest.eyes)


def run() -> list[Row]:
    """Measure costs, agreement and what glasses, hats, masks and darkness do."""
    cv2.setNumThreads(1)
    measuring, images = Measuring(), _images()
    seen = [(image, found) for image in images if (found := measuring.look(image)) is not None]
    rows = _costs(measuring, [image for image, _ in seen][:12])
    rows += _agreement(seen)
    for name, spoil in SPOILERS.items():
        rows += _spoilt(name, spoil, measuring, seen)
    return rows


def _images() -> list[Picture]:
    """A man at a webcam, a woman who turns her head from side to side, a man whose eyes turn."""
    folder = SHARED / "media"
    webcam = [cv2.imread(str(path)) for path in sorted((folder / "webcam_objects" / "images").glob("*.jpg"))[::8]]
    turning = list(_frames(folder / "headpose" / "head-pose-face-detection-female.gif", 1))
    eyes = list(_frames(folder / "webcam_gaze" / "center_left_center.mp4", 20))
    sized = [cv2.resize(np.asarray(image), (640, 480)) for image in webcam]
    return [np.asarray(image, np.uint8) for image in (*sized, *turning, *eyes)]


def _frames(path: Path, step: int) -> Iterator[Picture]:
    video = cv2.VideoCapture(str(path))
    number = 0
    while True:
        there, image = video.read()
        if not there:
            return
        if number % step == 0:
            yield np.asarray(image, np.uint8)
        number += 1


def _costs(measuring: Measuring, images: Sequence[Picture]) -> list[Row]:
    faces = [measuring.finder.find(image)[0] for image in images]
    meshes = [measuring.mesh.measure(image, face.box, face.eyes) for image, face in zip(images, faces, strict=True)]
    parts: dict[str, Callable[[int], object]] = {
        "YuNet": lambda i: measuring.finder.find(images[i]),
        "mesh": lambda i: measuring.mesh.measure(images[i], faces[i].box, faces[i].eyes),
        "pose and eyes": lambda i: (head_pose(meshes[i].points), eye_turn(meshes[i].points)),
        "hints": lambda i: hints(images[i], [faces[i].box]),
    }
    return [_row(f"faces: {name}, CPU a look", _cpu_ms(part, len(images)), "ms") for name, part in parts.items()]


def _cpu_ms(part: Callable[[int], object], count: int) -> float:
    used = []
    for _ in range(4):
        for index in range(count):
            began = time.process_time()
            part(index)
            used.append((time.process_time() - began) * 1e3)
    return float(np.median(used))


def _agreement(seen: Sequence[tuple[Picture, tuple[Face, Mesh]]]) -> list[Row]:
    names = ("fsanet-1x1-iter-688590.onnx", "fsanet-var-iter-688590.onnx")
    options = onnxruntime.SessionOptions()
    files = [(SHARED / "models" / name).read_bytes() for name in names]
    nets = [onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"]) for file in files]
    apart = [abs(head_pose(mesh.points).yaw + _peer_yaw(nets, image, face)) for image, (face, mesh) in seen]
    return [
        _row(f"faces: yaw against FSA-Net, {len(apart)} pictures, median", float(np.median(apart)), "degrees"),
        _row("faces: yaw against FSA-Net, 95th percentile", float(np.percentile(apart, 95)), "degrees"),
    ]


def _peer_yaw(nets: Sequence[onnxruntime.InferenceSession], image: Picture, face: Face) -> float:
    """FSA-Net's yaw (its left is our right), the mean of both models, box widened by 60 %."""
    left, top, right, bottom = face.box
    aside, above = 0.3 * (right - left), 0.3 * (bottom - top)
    part = image[max(0, int(top - above)) : int(bottom + above), max(0, int(left - aside)) : int(right + aside)]
    fed = ((cv2.resize(part, (64, 64)).astype(np.float32) - 127.5) / 128).transpose(2, 0, 1)[None]
    return float(np.mean([np.asarray(net.run(None, {net.get_inputs()[0].name: fed})[0]).ravel()[0] for net in nets]))


def _spoilt(
    name: str,
    spoil: Callable[[Picture, Face, Floats], Picture],
    measuring: Measuring,
    seen: Sequence[tuple[Picture, tuple[Face, Mesh]]],
) -> list[Row]:
    apart, lost = [], 0
    for image, (face, mesh) in seen:
        again = measuring.look(spoil(image, face, mesh.points))
        if again is None or again[1].score < BELIEVED:
            lost += 1
        else:
            apart.append(abs(head_pose(again[1].points).yaw - head_pose(mesh.points).yaw))
    return [
        _row(f"faces: {name}, not measured", 100 * lost / len(seen), "%"),
        _row(f"faces: {name}, yaw off by (95th percentile)", float(np.percentile(apart, 95)), "degrees"),
    ]


def _glasses(image: Picture, _face: Face, points: Floats, *, thick: bool = False) -> Picture:
    spoilt = image.copy()
    for left, right in ((33, 133), (362, 263)):
        middle = np.asarray((points[left, :2] + points[right, :2]) / 2, np.float32)
        radius = 0.85 * float(np.linalg.norm(points[left, :2] - points[right, :2]))
        cv2.circle(spoilt, _whole(middle), round(radius), (20, 20, 20), -1 if thick else max(2, round(radius / 8)))
    cv2.line(spoilt, _whole(points[133]), _whole(points[362]), (20, 20, 20), 3)
    return spoilt


def _hat(image: Picture, face: Face, points: Floats) -> Picture:
    spoilt, (left, top, right, bottom) = image.copy(), face.box
    tall = bottom - top
    brows = float(min(points[105, 1], points[334, 1])) - 0.06 * tall
    corner = (round(left - 0.15 * tall), round(top - 0.4 * tall))
    cv2.rectangle(spoilt, corner, (round(right + 0.15 * tall), round(brows)), (40, 30, 30), -1)
    return spoilt


def _mask(image: Picture, face: Face, points: Floats) -> Picture:
    spoilt, (left, _, right, bottom) = image.copy(), face.box
    cv2.rectangle(
        spoilt, (round(left), round(float(points[4, 1]) + 5)), (round(right), round(bottom)), (200, 190, 170), -1
    )
    return spoilt


def _dark(image: Picture, light: float) -> Picture:
    noise = np.random.default_rng(1).normal(0, 4, image.shape)
    return np.clip(image * light + noise, 0, 255).astype(np.uint8)


def _aside(image: Picture, face: Face, _points: Floats) -> Picture:
    move = np.array([[1, 0, 2 - face.box[0]], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _whole(point: Floats) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


SPOILERS: dict[str, Callable[[Picture, Face, Floats], Picture]] = {
    "drawn glasses": _glasses,
    "drawn sunglasses": lambda image, face, points: _glasses(image, face, points, thick=True),
    "drawn hat to the brows": _hat,
    "drawn mask": _mask,
    "a quarter of the light": lambda image, _face, _points: _dark(image, 1 / 4),
    "an eighth of the light": lambda image, _face, _points: _dark(image, 1 / 8),
    "face at the edge": _aside,
}


def _row(name: str, value: float, unit: str) -> Row:
    return Row(name=name, value=round(value, 2), unit=unit, peer=None, ratio=None, goal="")

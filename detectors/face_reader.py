"""The detector of faces: finds them, and measures how the head of the nearest one is turned.

Runs in the detection thread. One observation ``face`` for each face; for the largest also ``head`` (yaw, pitch and
roll in degrees, ``detectors.head_pose``) and ``gaze`` (the eyes' yaw, ``detectors.gaze``); and one for each hint how
the picture could be better, by its name (``app.contract.hints``). Where the policy asks for continuity also
``likeness``, the distance to the face at the start. No picture, point or template leaves it, and nothing is kept but
the boxes of the newest faces (``detectors.scene``) and, if asked for, what ``detectors.likeness`` holds.
"""

from collections.abc import Sequence

from capture.frames import Frame
from detectors.ahead import Ahead
from detectors.base import Observation
from detectors.catalogue import ModelCard
from detectors.faces import Face, FaceFinder
from detectors.gaze import eye_turn
from detectors.head_pose import HeadPose, head_pose
from detectors.hints import hints
from detectors.likeness import Likeness
from detectors.mesh import FaceMesh, Mesh
from detectors.scene import Scene

LEAST_EYES = 100.0
"""Height in pixels of a face whose irises can be placed: 2 degrees of error at 100, 5 at 80 (docs/models.md)."""
FRONTAL_DEGREES = 20.0
SURE = 0.9
"""Faces are compared when the head is turned by less than that, and the mesh fits that well."""


class FaceReader:
    """``PictureDetector`` for faces. Without ``mesh`` it finds faces and measures nothing.

    ``hinting`` says whether it also looks for what could be better about the picture; ``likeness`` compares the face
    with the one at the start, or nothing does. ``ahead`` is where straight ahead is, if that was measured before the
    exam; the next look hands it on, once, as an observation ``ahead``.
    """

    name = "faces"

    def __init__(
        self,
        finder: FaceFinder,
        scene: Scene,
        mesh: FaceMesh | None = None,
        *,
        hinting: bool = False,
        likeness: Likeness | None = None,
    ) -> None:
        self._finder, self._mesh = finder, mesh
        self._scene = scene
        self._hinting, self._likeness = hinting, likeness
        self.ahead: Ahead | None = None

    @property
    def card(self) -> ModelCard:
        """The model that finds the faces."""
        return self._finder.card

    def detect(self, frame: Frame) -> list[Observation]:
        """Return the faces in ``frame``, best first, boxes in its pixels, then what was measured of the largest."""
        faces = self._finder.find(frame.image)
        self._scene.saw_faces(frame.at, [face.box for face in faces])
        seen = [self._observation(frame, "face", face, face.score) for face in faces]
        return seen + self._measured(frame, faces) + self._hints(frame, faces) + self._calibrated(frame)

    def _calibrated(self, frame: Frame) -> list[Observation]:
        ahead, self.ahead = self.ahead, None
        if ahead is None:
            return []
        return [Observation(detector=self.name, at=frame.at, label="ahead", score=1.0, values=ahead.values)]

    def _hints(self, frame: Frame, faces: Sequence[Face]) -> list[Observation]:
        if not self._hinting:
            return []
        found = hints(frame.image, [face.box for face in faces])
        return [Observation(detector=self.name, at=frame.at, label=hint.value, score=1.0) for hint in found]

    def _measured(self, frame: Frame, faces: Sequence[Face]) -> list[Observation]:
        if self._mesh is None or not faces:
            return []
        nearest = max(faces, key=_area)
        mesh = self._mesh.measure(frame.image, nearest.box, nearest.eyes)
        pose, eyes = head_pose(mesh.points), eye_turn(mesh.points)
        angles = {"yaw": pose.yaw, "pitch": pose.pitch, "roll": pose.roll}
        measured = [self._observation(frame, "head", nearest, mesh.score, angles)]
        if nearest.box[3] - nearest.box[1] < LEAST_EYES:
            return measured
        if eyes is not None and eyes.is_open:
            measured.append(self._observation(frame, "gaze", nearest, mesh.score, {"yaw": eyes.yaw}))
        distance = self._compared(frame, mesh, pose)
        if distance is not None:
            measured.append(self._observation(frame, "likeness", nearest, mesh.score, {"distance": distance}))
        return measured

    def _compared(self, frame: Frame, mesh: Mesh, pose: HeadPose) -> float | None:
        if self._likeness is None or mesh.score < SURE or abs(pose.yaw) > FRONTAL_DEGREES:
            return None
        return self._likeness.compare(frame.at, frame.image, mesh.points)

    def _observation(
        self, frame: Frame, label: str, face: Face, score: float, values: dict[str, float] | None = None
    ) -> Observation:
        return Observation(detector=self.name, at=frame.at, label=label, score=score, box=face.box, values=values or {})


def _area(face: Face) -> float:
    left, top, right, bottom = face.box
    return (right - left) * (bottom - top)

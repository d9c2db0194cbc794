"""How a head is turned, from the points of its mesh: yaw, pitch and roll in degrees. Pure.

The rigid points of the mesh (``STEADY``, those that speech and mimic hardly move) are laid onto the same points of
MediaPipe's canonical face by the least squares rotation (Kabsch, Acta Cryst. A32, 922, 1976; weights as in MediaPipe's
face geometry). No camera model is needed: what a lens adds at the edge of a picture is the same as long as somebody
sits there, and ``detectors.baseline`` takes it away.
"""

import math
from dataclasses import dataclass

import numpy as np

from detectors.boxes import Floats

STEADY: tuple[tuple[int, float, float, float, float], ...] = (
    (4, 0.070910, 0.000000, -0.463170, 7.586580),
    (6, 0.032100, 0.000000, 2.473255, 5.788627),
    (10, 0.008447, 0.000000, 8.261778, 4.481535),
    (33, 0.058724, -4.445859, 2.663991, 3.173422),
    (54, 0.007667, -6.279331, 6.615427, 1.425850),
    (67, 0.009078, -3.523964, 8.005976, 3.729163),
    (117, 0.009792, -5.258659, 0.945811, 2.974312),
    (119, 0.014565, -3.300681, 0.861641, 3.872784),
    (121, 0.018591, -1.820731, 1.467954, 4.224124),
    (127, 0.005198, -7.743095, 2.364999, -2.005167),
    (129, 0.120625, -1.785794, -0.978284, 4.850470),
    (132, 0.005560, -7.270895, -2.890917, -2.252455),
    (133, 0.053286, -1.856432, 2.585245, 3.757904),
    (136, 0.066890, -5.085276, -7.178590, 0.714711),
    (143, 0.014817, -6.407571, 2.236021, 1.560843),
    (147, 0.014263, -6.234883, -1.944430, 1.663542),
    (198, 0.025462, -1.246815, 0.230297, 5.681036),
    (205, 0.047252, -3.832928, -1.537326, 4.137731),
)
"""Point of the mesh, its weight, and x (to the picture's right), y (up), z (to the camera) in cm on the canonical face.

The half of the face on the picture's left and the middle; the other half mirrors it (``MIRRORED``). Source: MediaPipe,
``modules/face_geometry/data/`` ``canonical_face_model.obj`` and ``geometry_pipeline_metadata_landmarks.pbtxt``
(Apache-2.0).
"""

MIRRORED = {
    33: 263,
    54: 284,
    67: 297,
    117: 346,
    119: 348,
    121: 350,
    127: 356,
    129: 358,
    132: 361,
    133: 362,
    136: 365,
    143: 372,
    147: 376,
    198: 420,
    205: 425,
}
"""The point on the other half for each point of ``STEADY`` that is not in the middle."""


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Degrees. ``yaw`` grows to the picture's right, ``pitch`` upwards, ``roll`` against the clock."""

    yaw: float
    pitch: float
    roll: float


def _canonical() -> tuple[list[int], Floats, Floats]:
    """Return the indices, places [N, 3] and weights [N, 1] of all rigid points."""
    rows = [(index, weight, (x, y, z)) for index, weight, x, y, z in STEADY]
    rows += [(MIRRORED[index], weight, (-x, y, z)) for index, weight, x, y, z in STEADY if index in MIRRORED]
    weights = np.array([[weight] for _, weight, _ in rows], np.float32)
    places = np.array([place for _, _, place in rows], np.float32)
    centred = places - (weights * places).sum(axis=0) / weights.sum()
    return [index for index, _, _ in rows], centred, weights


_INDICES, _PLACES, _WEIGHTS = _canonical()


def head_pose(points: Floats) -> HeadPose:
    """Return the pose of a mesh's ``points`` [478, 3] (``detectors.mesh.Mesh``)."""
    seen = points[_INDICES] * np.array([1, -1, -1], np.float32)  # as on the canonical face: y up, z to the camera
    seen = seen - (_WEIGHTS * seen).sum(axis=0) / _WEIGHTS.sum()
    left, _, right = np.linalg.svd((_WEIGHTS * seen).T @ _PLACES)
    mirror = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(left @ right)))])
    turn = left @ mirror @ right
    return HeadPose(
        yaw=math.degrees(math.atan2(turn[0, 2], turn[2, 2])),
        pitch=math.degrees(math.asin(max(-1.0, min(1.0, float(turn[1, 2]))))),
        roll=math.degrees(math.atan2(turn[1, 0], turn[1, 1])),
    )

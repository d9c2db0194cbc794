"""Head pose from a mesh that was turned by a known angle, and the eyes' turn from an iris that was moved."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.gaze import eye_turn
from detectors.head_pose import MIRRORED, STEADY, head_pose

Floats = NDArray[np.float32]


def turned(yaw: float, pitch: float, roll: float, *, pixels: float = 12.0, noise: float = 0.0) -> Floats:
    """Return a mesh of the canonical face, turned, in pixels of a frame, as the model would give it."""
    a, b, c = (math.radians(angle) for angle in (yaw, -pitch, roll))
    about_y = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    about_z = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    points = np.zeros((478, 3), np.float32)
    for index, _, x, y, z in STEADY:
        points[index] = (x, y, z)
        if index in MIRRORED:
            points[MIRRORED[index]] = (-x, y, z)
    spun = points @ (about_y @ about_x @ about_z).T * pixels
    spun = spun * np.array([1, -1, -1]) + np.array([320, 240, 0])
    return np.asarray(spun + np.random.default_rng(7).normal(0, noise, spun.shape), np.float32)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 0, 0), (40, 0, 0), (-40, 0, 0), (0, 25, 0), (0, -30, 0), (0, 0, 20), (-35, -15, 10)]
)
def test_a_turned_face_has_the_angles_by_which_it_was_turned(yaw: float, pitch: float, roll: float) -> None:
    pose = head_pose(turned(yaw, pitch, roll))
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=0.05)


def test_distance_and_noise_of_the_points_do_not_turn_a_head() -> None:
    near, far = head_pose(turned(20, -10, 5, pixels=25)), head_pose(turned(20, -10, 5, pixels=5, noise=0.5))
    assert (far.yaw, far.pitch, far.roll) == pytest.approx((near.yaw, near.pitch, near.roll), abs=2.0)


def _eyes(shift: float, *, opening: float = 0.3) -> Floats:
    """Return a mesh whose irises lie ``shift`` widths of an eye to the right of the middle of both openings."""
    points = np.zeros((478, 3), np.float32)
    for left, right, iris, upper, lower, start in ((33, 133, 468, 159, 145, 100.0), (362, 263, 473, 386, 374, 160.0)):
        points[left, :2], points[right, :2] = (start, 50), (start + 30, 50)
        points[iris, :2] = (start + 15 + 30 * shift, 50)
        points[upper, :2], points[lower, :2] = (start + 15, 50 - 15 * opening), (start + 15, 50 + 15 * opening)
    return points


def test_eyes_turn_with_their_irises() -> None:
    ahead, right, left = (eye_turn(_eyes(shift)) for shift in (0.0, 0.16, -0.16))
    assert ahead is not None
    assert right is not None
    assert left is not None
    assert ahead.yaw == pytest.approx(0, abs=0.01)
    assert right.yaw == pytest.approx(math.degrees(math.asin(0.16 / 0.36)), abs=0.01)
    assert left.yaw == pytest.approx(-right.yaw, abs=0.01)


def test_a_blink_says_nothing_of_gaze() -> None:
    open_eyes, blink = eye_turn(_eyes(0.0)), eye_turn(_eyes(0.0, opening=0.05))
    assert open_eyes is not None
    assert open_eyes.is_open
    assert blink is not None
    assert not blink.is_open


def test_a_mesh_without_irises_has_no_gaze() -> None:
    assert eye_turn(np.zeros((468, 3), np.float32)) is None

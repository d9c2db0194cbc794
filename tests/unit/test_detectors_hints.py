"""Hints: what could be better about a picture, and that good pictures, also of dark skin, get none."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.contract.hints import Hint
from detectors.catalogue import load_catalogue
from detectors.faces import load_face_finder
from detectors.hints import hints

Picture = NDArray[np.uint8]
FACE = (240.0, 120.0, 400.0, 320.0)


def _room(face: int = 130, wall: int = 190) -> Picture:
    """Return a wall with a window frame and a face with eyes, brows and mouth, all of some brightness."""
    picture = np.full((480, 640, 3), wall, np.uint8)
    picture[:, ::80] = wall // 2
    cv2.ellipse(picture, (320, 220), (80, 100), 0, 0, 360, (face, face, face), -1)
    for x in (285, 355):
        cv2.circle(picture, (x, 195), 9, (face // 4,) * 3, -1)
        cv2.line(picture, (x - 15, 175), (x + 15, 172), (face // 3,) * 3, 4)
    for row in range(250, 280, 6):
        cv2.line(picture, (290, row), (350, row), (face // 2,) * 3, 2)
    noise = np.random.default_rng(3).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def test_a_good_picture_gets_no_hint() -> None:
    assert hints(_room(), [FACE]) == []


def test_without_a_face_only_the_light_is_judged() -> None:
    assert hints(_room(), []) == []
    assert hints(_room(20, 30), []) == [Hint.DARK]


@pytest.mark.parametrize("face", [35, 45, 60])
def test_dark_skin_in_good_light_gets_no_hint(face: int) -> None:
    """The face is as dark as faces get; the wall is well exposed."""
    assert hints(_room(face), [FACE]) == []


def test_a_dark_room_is_dark() -> None:
    assert hints((_room() * 0.25).astype(np.uint8), [FACE]) == [Hint.DARK]


def test_a_window_behind_a_shaded_face_is_backlight() -> None:
    assert hints(_room(45, 255), [FACE]) == [Hint.BACKLIT]
    assert hints(_room(140, 255), [FACE]) == []


def test_a_soft_picture_is_blurred() -> None:
    soft = np.asarray(cv2.GaussianBlur(_room(), (0, 0), 4), np.uint8)
    assert hints(soft, [FACE]) == [Hint.BLURRED]


@pytest.mark.parametrize(
    "box", [(-30, 120, 130, 320), (560, 120, 720, 320), (240, -40, 400, 160), (240, 350, 400, 550)]
)
def test_a_face_beyond_the_edge_is_cut_off(box: tuple[float, float, float, float]) -> None:
    assert Hint.CUT_OFF in hints(_room(), [box])


def test_far_and_near() -> None:
    assert hints(_room(), [(300, 200, 350, 265)]) == [Hint.TOO_FAR]
    assert Hint.TOO_NEAR in hints(_room(), [(120, 20, 500, 460)])


def test_of_several_faces_the_nearest_is_judged() -> None:
    assert hints(_room(), [(300, 200, 330, 240), FACE]) == []


SHARED = Path(__file__).parents[2].parent / "shared"
YUNET = load_catalogue().named("yunet")


@pytest.mark.skipif(
    not ((SHARED / "models" / YUNET.file).is_file() and (SHARED / "media").is_dir()),
    reason="the shared models and media are not beside this checkout",
)
def test_real_webcam_pictures_get_the_hints_that_fit() -> None:
    """As they are; with a fifth of the light; out of focus."""
    finder = load_face_finder(SHARED / "models" / YUNET.file, YUNET, 0.5)
    files = sorted((SHARED / "media" / "webcam_objects" / "images").glob("*.jpg"))[::20]
    assert len(files) >= 5
    for file in files:
        image = np.asarray(cv2.resize(np.asarray(cv2.imread(str(file)), np.uint8), (640, 480)), np.uint8)
        boxes = [face.box for face in finder.find(image)]
        assert boxes
        assert hints(image, boxes) == []
        assert hints((image * 0.2).astype(np.uint8), boxes) == [Hint.DARK]
        assert hints(np.asarray(cv2.GaussianBlur(image, (0, 0), 4), np.uint8), boxes) == [Hint.BLURRED]

"""How pictures become input and outputs boxes: letterbox, the four forms of object models, doubles, BlazeFace."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from detectors.boxes import areas, corners, intersections, suppress
from detectors.catalogue import Form
from detectors.decoders import READINGS
from detectors.faces import blazeface_anchors, load_face_finder
from detectors.letterbox import fit, place, rect_shape
from detectors.objects import load_object_detector
from tests.unit.detector_models import FirstLook, blazeface, channel_means, constant, picture, write

FLOORS = {"person": 0.1, "phone": 0.1}
SIZE = (480, 640)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [((480, 640), (480, 640)), ((720, 1280), (384, 640)), ((661, 1126), (384, 640)), ((1024, 820), (640, 512))],
)
def test_rect_shape_is_ultralytics_rect(frame: tuple[int, int], expected: tuple[int, int]) -> None:
    assert rect_shape(frame, 640) == expected


def test_letterbox_pads_with_grey_in_the_middle() -> None:
    plan = fit((720, 1280), SIZE)
    placed = place(picture(720, 1280, (255, 255, 255)).image, plan)
    assert placed.shape == (480, 640, 3)
    assert (plan.gain, plan.top, plan.left) == (0.5, 60, 0)
    assert (placed[:60] == 114).all()
    assert (placed[60:420] == 255).all()
    assert (placed[420:] == 114).all()


def test_the_odd_pixel_goes_to_the_bottom_as_in_ultralytics() -> None:
    plan = fit((363, 640), (384, 640))
    assert plan.top == 10  # 21 rows to pad: 10 above, 11 below


def test_a_frame_of_the_right_size_is_not_copied() -> None:
    frame = picture(480, 640)
    assert place(frame.image, fit(SIZE, SIZE)) is frame.image


@given(st.integers(40, 2000), st.integers(40, 2000), st.booleans(), st.data())
def test_restore_inverts_the_fit(height: int, width: int, centred: bool, data: st.DataObject) -> None:
    plan = fit((height, width), SIZE, centred=centred)
    x1, x2 = sorted(data.draw(st.tuples(st.floats(0, width), st.floats(0, width))))
    y1, y2 = sorted(data.draw(st.tuples(st.floats(0, height), st.floats(0, height))))
    box = np.array([[x1, y1, x2, y2]])
    fitted = (box * plan.gain + np.array([plan.left, plan.top] * 2)).astype(np.float32)
    assert (fitted[:, 2] <= SIZE[1] + 1.1).all()
    assert (fitted[:, 3] <= SIZE[0] + 1.1).all()
    np.testing.assert_allclose(plan.restore(fitted), box, atol=0.02)


def test_restore_clips_to_the_frame() -> None:
    plan = fit((720, 1280), SIZE)
    outside = np.array([[-50, 0, 9999, 9999]], np.float32)
    assert plan.restore(outside).tolist() == [[0, 0, 1280, 720]]


def _reference_nms(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], groups: NDArray[np.intp], iou: float
) -> list[int]:
    """The textbook's double loop, without the offset trick."""
    kept: list[int] = []
    for index in sorted(range(len(scores)), key=lambda i: -scores[i]):
        rivals = [other for other in kept if groups[other] == groups[index]]
        shared = intersections(boxes[index], boxes[rivals]) if rivals else np.empty(0, np.float32)
        union = areas(boxes[rivals]) + areas(boxes[[index]]) - shared if rivals else shared
        if not (shared > iou * np.maximum(union, 1e-9)).any():
            kept.append(index)
    return kept


@given(st.integers(0, 12), st.data())
def test_suppression_equals_the_textbook(count: int, data: st.DataObject) -> None:
    whole = st.integers(0, 60).map(float)
    centres = data.draw(arrays.arrays(np.float32, (count, 4), elements=whole))
    scores = data.draw(
        arrays.arrays(np.float32, count, elements=st.integers(1, 1000).map(lambda n: n / 1000), unique=True)
    )
    groups = data.draw(arrays.arrays(np.intp, count, elements=st.integers(0, 2)))
    boxes = corners(centres)
    assert suppress(boxes, scores, groups, iou=0.5) == _reference_nms(boxes, scores, groups, 0.5)


def _dense_rows(*rows: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).T[None]


def test_yolo_dense_suppresses_doubles_within_a_class_only(tmp_path: Path) -> None:
    output = _dense_rows(
        (100, 100, 50, 50, 0.9, 0.0, 0.0),
        (101, 100, 50, 50, 0.8, 0.0, 0.0),  # the same person again
        (100, 100, 50, 50, 0.0, 0.7, 0.0),  # a phone in the same place
        (300, 300, 20, 40, 0.0, 0.0, 0.95),  # a bicycle: none of ours
        (400, 300, 20, 40, 0.05, 0.0, 0.0),  # too weak
    )
    path, card = write(tmp_path, constant(output, (1, 3, *SIZE)), Form.YOLO_DENSE, SIZE)
    seen = FirstLook(load_object_detector(path, card), FLOORS).detect(picture(480, 640, at=7))
    assert [(one.label, round(one.score, 3), one.box) for one in seen] == [
        ("person", 0.9, (75, 75, 125, 125)),
        ("phone", 0.7, (75, 75, 125, 125)),
    ]
    assert {one.at.mono_ns for one in seen} == {7_000_000_000}


def test_yolo_end_to_end_needs_no_suppression(tmp_path: Path) -> None:
    rows = [(10, 20, 30, 40, 0.6, 1), (10, 20, 30, 40, 0.8, 0), (0, 0, 0, 0, 0, 0)]
    path, card = write(tmp_path, constant(np.array([rows], np.float32), (1, 3, *SIZE)), Form.YOLO_END_TO_END, SIZE)
    seen = FirstLook(load_object_detector(path, card), FLOORS).detect(picture(480, 640))
    assert [(one.label, one.box) for one in seen] == [("person", (10, 20, 30, 40)), ("phone", (10, 20, 30, 40))]


def test_darknet_heads_multiply_objectness_and_class(tmp_path: Path) -> None:
    rows = [(100, 100, 40, 20, 0.5, 0.1, 0.8, 0.2), (300, 300, 40, 20, 0.9, 0.05, 0.1, 0.0)]
    path, card = write(tmp_path, constant(np.array([rows], np.float32), (1, 3, *SIZE)), Form.DARKNET_HEADS, SIZE)
    (phone,) = FirstLook(load_object_detector(path, card), FLOORS).detect(picture(480, 640))
    assert (phone.label, phone.box) == ("phone", (80, 90, 120, 110))
    assert phone.score == pytest.approx(0.4)


def test_yolox_grid_is_decoded_by_cell_and_stride(tmp_path: Path) -> None:
    size = (64, 96)
    cells = [(rows, columns) for rows, columns in ((8, 12), (4, 6), (2, 3))]
    count = sum(rows * columns for rows, columns in cells)
    output = np.zeros((1, count, 8), np.float32)
    in_second_level = 8 * 12 + 2 * 6 + 3  # stride 16, row 2, column 3
    output[0, in_second_level] = (0.5, 0.25, np.log(2), np.log(1), 0.9, 1.0, 0, 0)
    path, card = write(tmp_path, constant(output, (1, 3, *size)), Form.YOLOX_GRID, size)
    # A frame half as wide as the input fits at the top left at twice its size.
    (person,) = FirstLook(load_object_detector(path, card), FLOORS).detect(picture(32, 40))
    assert person.box is not None
    centre, half = ((3 + 0.5) * 16 / 2, (2 + 0.25) * 16 / 2), (8, 4)
    assert person.box == pytest.approx(
        (centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1])
    )


def test_yolo_input_is_rgb_from_0_to_1(tmp_path: Path) -> None:
    path, card = write(tmp_path, channel_means((9, 9, 4, 4), (1, 3, *SIZE)), Form.YOLO_DENSE, SIZE)
    detector = FirstLook(load_object_detector(path, card), FLOORS)
    (red,) = detector.detect(picture(480, 640, (0, 0, 255)))
    assert (red.label, red.score) == ("person", 1.0)  # channel 0
    (green,) = detector.detect(picture(480, 640, (0, 128, 0)))
    assert green.label == "phone"
    assert green.score == pytest.approx(128 / 255, abs=1e-4)


def test_yolox_input_is_bgr_from_0_to_255() -> None:
    prepared = READINGS[Form.YOLOX_GRID].prepare(picture(2, 2, (10, 20, 255)).image)
    assert prepared.shape == (1, 3, 2, 2)
    assert prepared[0, :, 0, 0].tolist() == [10, 20, 255]


def test_a_model_that_takes_any_size_gets_the_rect_of_the_frame(tmp_path: Path) -> None:
    box = (320, 192, 64, 64)  # the middle of 640×384
    path, card = write(tmp_path, channel_means(box, (1, 3, "height", "width")), Form.YOLO_DENSE, SIZE)
    (seen,) = FirstLook(load_object_detector(path, card), FLOORS).detect(picture(720, 1280, (0, 0, 255)))
    assert seen.box == pytest.approx((576, 296, 704, 424))
    assert seen.score == pytest.approx((360 + 24 * 114 / 255) / 384, abs=1e-3)  # 24 of 384 rows are grey


def test_a_box_comes_back_in_pixels_of_the_frame(tmp_path: Path) -> None:
    output = _dense_rows((320, 240, 64, 48, 0.9, 0, 0))
    path, card = write(tmp_path, constant(output, (1, 3, *SIZE)), Form.YOLO_DENSE, SIZE)
    (person,) = FirstLook(load_object_detector(path, card), FLOORS).detect(picture(720, 1280))
    assert person.box == pytest.approx((576, 312, 704, 408))


def test_blazeface_anchors() -> None:
    anchors = blazeface_anchors()
    assert anchors.shape == (896, 2)
    assert anchors[0].tolist() == anchors[1].tolist() == [0.5 / 16, 0.5 / 16]
    assert anchors[2].tolist() == [1.5 / 16, 0.5 / 16]
    assert anchors[511].tolist() == [15.5 / 16, 15.5 / 16]
    assert anchors[512].tolist() == anchors[517].tolist() == [0.5 / 8, 0.5 / 8]


def test_blazeface_decodes_around_its_anchor(tmp_path: Path) -> None:
    boxes = np.zeros((1, 896, 16), np.float32)
    logits = np.full((1, 896, 1), -500, np.float32)
    middle = 512 + (4 * 8 + 4) * 6  # anchor at 4.5 / 8 of the input: pixel 72
    boxes[0, middle, :8] = (2, -4, 32, 32, 8, -8, -4, -10)  # and both eyes, that on the picture's right first
    boxes[0, middle + 1, :4] = (3, -4, 32, 32)
    logits[0, middle], logits[0, middle + 1] = 2.0, 1.5  # the same face twice
    path, card = write(tmp_path, blazeface(boxes, logits), Form.BLAZEFACE, (128, 128))
    (face,) = load_face_finder(path, card, 0.5).find(picture(256, 256).image)
    assert face.score == pytest.approx(1 / (1 + np.exp(-2)))
    assert face.box == pytest.approx((2 * (74 - 16), 2 * (68 - 16), 2 * (74 + 16), 2 * (68 + 16)))
    assert face.eyes == ((2 * 68, 2 * 62), (2 * 80, 2 * 64))

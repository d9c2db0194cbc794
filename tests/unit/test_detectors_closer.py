"""Where the second look goes, what it brings back, and that a thing is the same one from look to look."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Box
from detectors.catalogue import Form
from detectors.closer import SIZE, Closer
from detectors.coco import HELD
from detectors.decoders import Found
from detectors.movement import Movement
from detectors.objects import load_object_detector
from detectors.regions import Region, around_box, meets, reach
from detectors.things import Look, things
from detectors.tracks import PATIENCE, Tracks
from tests.unit.detector_models import constant, picture, write

PERSON: Box = (200, 100, 440, 480)
FACE: Box = (280, 120, 360, 220)
HANDS: Box = (210, 400, 250, 440)
FRAME = (480, 640)
_edge = st.floats(0, 600)


def _closer(tmp_path: Path, *rows: tuple[float, ...]) -> Closer:
    """A closer look that finds ``rows`` (edges in its own pixels, score, class) wherever it looks."""
    output = np.array([rows or [(0,) * 6]], np.float32)
    path, card = write(tmp_path, constant(output, (1, 3, *SIZE)), Form.YOLO_END_TO_END, SIZE)
    return Closer(load_object_detector(path, card))


@pytest.fixture
def choose(tmp_path: Path) -> Callable[..., Region | None]:
    closer = _closer(tmp_path)

    def choose(
        people: list[Box], faces: list[Box], things: list[Box], movement: Movement | None = None
    ) -> Region | None:
        return closer.choose(FRAME, people=people, faces=faces, things=things, movement=movement or Movement())

    return choose


def _holds(region: Region, box: Box) -> bool:
    return region.left <= box[0] and region.top <= box[1] and region.right >= box[2] and region.bottom >= box[3]


def test_a_small_thing_in_reach_draws_the_look_and_one_out_of_reach_does_not(
    choose: Callable[..., Region | None],
) -> None:
    region = choose([PERSON], [], [(20, 20, 60, 60), HANDS])
    assert region is not None
    assert region.why == "thing"
    assert _holds(region, HANDS)


def test_what_moves_in_reach_beside_the_face_takes_turns_with_the_thing(choose: Callable[..., Region | None]) -> None:
    movement, hand = Movement(), (slice(395, 445), slice(395, 445))
    still = np.full((*FRAME, 3), 90, np.uint8)
    moved = still.copy()
    moved[hand] = 200
    moved[120:220, 280:360] = 200  # the face moves as well, and more
    movement.see(still)
    movement.see(moved)
    regions = [choose([PERSON], [FACE], [HANDS], movement) for _ in range(2)]
    assert {region.why for region in regions if region} == {"thing", "moving"}
    moving = next(region for region in regions if region and region.why == "moving")
    assert _holds(moving, (395, 395, 445, 445))


def test_with_nothing_to_see_ears_and_lap_take_turns_at_every_other_look(choose: Callable[..., Region | None]) -> None:
    regions = [choose([PERSON], [FACE], []) for _ in range(4)]
    assert [region.why if region else "" for region in regions] == ["face", "", "lap", ""]
    assert regions[0] is not None
    assert _holds(regions[0], (FACE[0] - 40, FACE[1], FACE[2] + 40, FACE[3]))


def test_in_an_empty_room_nobody_looks_closer(choose: Callable[..., Region | None]) -> None:
    assert [choose([], [], [HANDS]) for _ in range(4)] == [None] * 4


@given(box=st.tuples(_edge, _edge, _edge, _edge), times=st.floats(1, 4), height=st.integers(48, 2160))
def test_a_region_lies_in_the_picture_and_has_the_model_s_shape(box: Box, times: float, height: int) -> None:
    left, right = sorted(box[::2])
    top, bottom = sorted(box[1::2])
    frame = (height, height * 4 // 3)
    region = around_box((left, top, right, bottom), times, frame, 1.3, "thing")
    assert 0 <= region.left < region.right <= frame[1]
    assert 0 <= region.top < region.bottom <= frame[0]
    assert (region.right - region.left) / (region.bottom - region.top) == pytest.approx(1.3, abs=0.1)


def test_boxes_come_back_in_the_picture_s_pixels_without_those_cut_by_the_edge(tmp_path: Path) -> None:
    inside, cut = (104, 80, 208, 160, 0.9, 1), (0, 80, 208, 160, 0.8, 1)
    closer = _closer(tmp_path, inside, cut)
    frame = picture(480, 640)
    found = closer.find(frame.image, Region(left=200, top=100, right=408, bottom=260, why="thing"), 0.5)
    np.testing.assert_allclose(found.boxes, [[252, 140, 304, 180]], atol=0.5)
    at_the_border = closer.find(frame.image, Region(left=0, top=0, right=416, bottom=320, why="thing"), 0.5)
    assert len(at_the_border.scores) == 2


def _found(*rows: tuple[Box, float, int]) -> Found:
    return Found(
        boxes=np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in rows], np.float32),
        classes=np.array([index for _, _, index in rows], np.intp),
    )


def test_two_looks_at_one_place_are_one_thing_with_all_its_names() -> None:
    names = ("cell phone", "remote", "cat")
    first = Look(found=_found((HANDS, 0.2, 0), ((20, 20, 60, 60), 0.5, 2)), names=names, closer=False)
    closer = _found(((212, 402, 252, 442), 0.4, 0), (HANDS, 0.3, 1))
    second = Look(found=closer, names=("remote", "cell phone"), closer=True)
    (thing,) = things([first, second], HELD)
    assert thing.scores == pytest.approx({"remote": 0.4, "cell phone": 0.3})
    assert (thing.best, thing.closer) == ("remote", True)
    assert thing.some(HELD) == pytest.approx(1 - 0.6 * 0.7)


def test_a_thing_is_followed_when_a_hand_moves_it_and_not_across_the_room() -> None:
    tracks = Tracks()
    assert tracks.follow([HANDS]) == [1]
    assert tracks.follow([(255, 380, 295, 420)]) == [1]
    assert tracks.follow([(600, 20, 640, 60)]) == [2]
    assert tracks.follow([(255, 380, 295, 420), (600, 20, 640, 60)]) == [1, 2]


def test_a_thing_out_of_sight_for_long_is_another_one() -> None:
    tracks = Tracks()
    tracks.follow([HANDS])
    for _ in range(PATIENCE):
        tracks.follow([])
    assert tracks.follow([HANDS]) == [1]
    for _ in range(PATIENCE + 1):
        tracks.follow([])
    assert tracks.follow([HANDS]) == [2]
    assert tracks.boxes == [HANDS]


def test_two_things_never_share_a_track() -> None:
    tracks = Tracks()
    near = (212.0, 402.0, 252.0, 442.0)
    tracks.follow([HANDS])
    assert tracks.follow([HANDS, near]) == [1, 2]


def test_reach_is_wider_than_the_body() -> None:
    assert meets((170, 300, 190, 320), reach(PERSON))
    assert not meets((20, 300, 60, 320), reach(PERSON))

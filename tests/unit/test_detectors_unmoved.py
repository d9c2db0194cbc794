"""What never moves while the scene does is background: posters are not people, and who sits still is one."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import Box
from detectors.movement import Movement
from detectors.unmoved import PATIENCE, Unmoved

CANDIDATE: Box = (250, 120, 550, 480)
POSTER: Box = (20, 20, 140, 180)
SHELF: Box = (560, 40, 630, 160)
HEIGHT, WIDTH = 480, 640
Picture = NDArray[np.uint8]


class _Room:
    """A textured room in which named boxes are shifted by so many pixels at a look; noise as a webcam's."""

    def __init__(self, noise: float = 2.0) -> None:
        self._numbers = np.random.default_rng(7)
        small = self._numbers.integers(40, 220, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        self._room = np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST), np.uint8)
        self._noise = noise
        self._movement = Movement()
        self._unmoved = Unmoved()

    def look(self, people: list[Box], things: list[Box], shifts: dict[Box, int], light: float = 1.0) -> list[bool]:
        """Return of each person, then of each thing, whether it is background."""
        picture = self._room.astype(np.float32) * light
        for (left, top, right, bottom), shift in shifts.items():
            part = picture[int(top) : int(bottom), int(left) : int(right)]
            part[:] = np.roll(part, shift, axis=1)
        picture += self._numbers.normal(0, self._noise, picture.shape).astype(np.float32)
        self._movement.see(np.clip(picture, 0, 255).astype(np.uint8))
        still_people, still_things = self._unmoved.judge(people, things, self._movement)
        return [*still_people, *still_things]


def test_a_poster_behind_somebody_who_moves_is_background_from_the_second_look_on() -> None:
    room = _Room()
    room.look([CANDIDATE, POSTER], [], {})
    for turn in range(1, 6):
        assert room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn}) == [False, True]


def test_a_second_person_who_breathes_is_a_person() -> None:
    """Two pixels at every other look, of 640: a shoulder two metres away."""
    room = _Room()
    for turn in range(8):
        still = room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn, POSTER: 2 * (turn % 4 // 2)})
    assert still == [False, False]


def test_who_moved_once_stays_a_person_however_still() -> None:
    room = _Room()
    for turn in range(4):
        room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn, POSTER: 9 * turn})
    for turn in range(30):
        assert room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn, POSTER: 27}) == [False, False]


def test_who_comes_in_is_a_person_at_once() -> None:
    room = _Room()
    for turn in range(3):
        room.look([CANDIDATE], [], {CANDIDATE: 6 * turn})
    assert room.look([CANDIDATE, POSTER], [], {CANDIDATE: 18, POSTER: 40}) == [False, False]


def test_a_poster_that_the_model_sees_only_now_and_then_stays_background() -> None:
    room = _Room()
    for turn in range(12):
        people = [CANDIDATE, POSTER] if turn % 3 == 0 else [CANDIDATE]
        still = room.look(people, [], {CANDIDATE: 6 * turn})
    assert room.look([CANDIDATE, POSTER], [], {CANDIDATE: 80}) == [False, True]
    assert still[0] is False


def test_a_picture_in_which_nothing_moves_says_nothing_about_posters() -> None:
    room = _Room(noise=0)
    for _ in range(5):
        assert room.look([CANDIDATE, POSTER], [SHELF], {}) == [False, False, False]


def test_a_candidate_who_sits_without_moving_is_there_to_the_end() -> None:
    """A curtain moves; of the candidate, in a dim room, nothing that the camera could show."""
    room, curtain = _Room(), (0.0, 300.0, 100.0, 480.0)
    said = [room.look([CANDIDATE], [], {curtain: 6 * turn})[0] for turn in range(3 * PATIENCE)]
    assert said == [False] * len(said)


def test_the_candidate_stays_when_somebody_passes_behind() -> None:
    room, curtain = _Room(), (0.0, 300.0, 100.0, 480.0)
    for turn in range(2 * PATIENCE):
        people = [CANDIDATE, POSTER] if PATIENCE < turn < PATIENCE + 6 else [CANDIDATE]
        still = room.look(people, [], {curtain: 6 * turn, **({POSTER: 9 * turn} if len(people) == 2 else {})})
    assert still == [False]


def test_a_cardboard_figure_in_the_place_of_a_candidate_who_left_is_background() -> None:
    room, figure, curtain = _Room(), (20.0, 20.0, 240.0, 400.0), (560.0, 300.0, 640.0, 480.0)
    for turn in range(PATIENCE + 2):
        assert room.look([CANDIDATE, figure], [], {CANDIDATE: 6 * turn})[0] is False
    for turn in range(PATIENCE):
        still = room.look([figure], [], {curtain: 6 * turn})
    assert still == [True]


def test_a_second_person_who_breathes_in_a_dim_room_is_a_person() -> None:
    """A tenth of the light and a quarter of the noise: of 256 levels the room shows about 20."""
    room = _Room(noise=0.5)
    for turn in range(8):
        shifts = {CANDIDATE: 6 * turn, POSTER: 2 * (turn % 4 // 2)}
        still = room.look([CANDIDATE, POSTER], [], shifts, light=0.1)
    assert still == [False, False]


def test_the_noise_of_a_camera_in_the_dark_wakes_no_poster() -> None:
    room = _Room(noise=15)
    for turn in range(30):
        still = room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn}, light=0.5)
    assert still == [False, True]


def test_a_poster_that_was_covered_when_it_is_seen_again_stays_background() -> None:
    room = _Room()
    for turn in range(3):
        room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn})
    for turn in range(3, 9):
        room.look([CANDIDATE], [], {CANDIDATE: 6 * turn})
    for turn in range(9, 12):
        assert room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn, POSTER: 40}) == [False, True]


def test_a_camera_that_sets_its_exposure_moves_nothing() -> None:
    movement = Movement()
    movement.see(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    movement.see(np.full((HEIGHT, WIDTH, 3), 110, np.uint8))
    assert movement.everywhere == 0


@pytest.mark.parametrize("light", [0.8, 1.1])
def test_a_change_of_light_wakes_no_poster(light: float) -> None:
    room = _Room()
    for turn in range(3):
        room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn})
    room.look([CANDIDATE, POSTER], [], {CANDIDATE: 18}, light)
    for turn in range(4, 7):
        still = room.look([CANDIDATE, POSTER], [], {CANDIDATE: 6 * turn}, light)
    assert still == [False, True]


def test_books_on_a_shelf_are_background_and_a_book_in_use_is_not() -> None:
    room = _Room()
    book: Box = (300, 380, 400, 470)
    for turn in range(4):
        still = room.look([CANDIDATE], [SHELF, book], {CANDIDATE: 6 * turn})
    assert still == [False, True, False]


def test_a_bottle_put_on_the_desk_is_no_background() -> None:
    room, desk = _Room(), (20.0, 380.0, 60.0, 470.0)
    for turn in range(3):
        room.look([CANDIDATE], [], {CANDIDATE: 6 * turn})
    for turn in range(3, 6):
        assert room.look([CANDIDATE], [desk], {CANDIDATE: 6 * turn, desk: 20}) == [False, False]

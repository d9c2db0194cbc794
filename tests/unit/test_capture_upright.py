"""Recordings of telephones: the file says how a player is to turn them, and so are they measured."""

import numpy as np
import pytest

from capture.stored import upright


@pytest.mark.parametrize(
    ("degrees", "where"), [(0, (0, 0)), (-90, (0, 2)), (90, (4, 0)), (180, (2, 4)), (-180, (2, 4))]
)
def test_a_picture_is_turned_as_the_file_says(degrees: int, where: tuple[int, int]) -> None:
    """A light pixel at the top left: turned by -90, clockwise, it is at the top right."""
    picture = np.zeros((3, 5, 3), np.uint8)
    picture[0, 0] = 255
    turned = upright(picture, degrees)
    assert turned.flags.c_contiguous
    assert tuple(int(place) for place in np.argwhere(turned[:, :, 0])[0]) == where

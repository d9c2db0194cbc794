"""Drawings for the sample footage: a room with nobody in it, and a telephone held up. Pure functions of pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

_WALL, _FLOOR, _SHELF, _GLASS, _DOOR = (196, 206, 210), (92, 112, 134), (70, 92, 116), (226, 210, 188), (150, 166, 178)
_BODY, _SCREEN, _KEY, _SKIN = (28, 26, 25), (190, 150, 100), (90, 90, 90), (150, 175, 222)

_PHONE_HEIGHT = 230
_PHONE_CENTRE = (90, 310)
_OVERSAMPLING = 4


def draw_empty_room(width: int, height: int) -> Image:
    """Return a wall with a window, a door and a skirting board, lit from the left; ``height`` × ``width`` × 3, BGR."""
    room = np.empty((height, width, 3), np.float32)
    room[:] = _WALL
    floor = round(height * 0.78)
    room[floor:] = _FLOOR
    cv2.rectangle(room, (0, floor - 10), (width, floor), _SHELF, -1)
    left, top, right, bottom = (round(part) for part in (width * 0.10, height * 0.12, width * 0.42, height * 0.55))
    cv2.rectangle(room, (left - 8, top - 8), (right + 8, bottom + 8), _SHELF, -1)
    cv2.rectangle(room, (left, top), (right, bottom), _GLASS, -1)
    cv2.line(room, ((left + right) // 2, top), ((left + right) // 2, bottom), _SHELF, 5)
    cv2.rectangle(room, (round(width * 0.70), round(height * 0.16)), (round(width * 0.90), floor), _DOOR, -1)
    light = np.linspace(1.06, 0.86, width, dtype=np.float32)[None, :, None]
    soft = cv2.GaussianBlur(room * light, (0, 0), 1.5)
    return np.clip(soft, 0, 255).astype(np.uint8)


def draw_phone(image: Image) -> Image:
    """Return a copy of ``image`` with a telephone held up in it, on the left."""
    side = 2 * _PHONE_HEIGHT * _OVERSAMPLING
    colours = np.zeros((side, side, 3), np.uint8)
    mask = np.zeros((side, side), np.uint8)
    _draw_body(colours, mask)
    _draw_fingers(colours, mask)
    size = (2 * _PHONE_HEIGHT, 2 * _PHONE_HEIGHT)
    drawn = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)[..., None] / 255.0
    # Where it stands in the picture, cut off at the picture's edges.
    x0, y0 = _PHONE_CENTRE[0] - _PHONE_HEIGHT, _PHONE_CENTRE[1] - _PHONE_HEIGHT
    x1, y1 = min(x0 + size[0], image.shape[1]), min(y0 + size[1], image.shape[0])
    left, top = max(x0, 0), max(y0, 0)
    cover = cover[top - y0 : y1 - y0, left - x0 : x1 - x0]
    result = image.copy()
    behind = result[top:y1, left:x1]
    behind[:] = (behind * (1 - cover) + drawn[top - y0 : y1 - y0, left - x0 : x1 - x0] * cover).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(result, (3, 3), 0), np.uint8)


def _draw_body(colours: Image, mask: Image) -> None:
    """A dark body with rounded corners, a screen and one round key: the telephone that COCO's pictures show most."""
    middle = colours.shape[0] // 2
    height = _PHONE_HEIGHT * _OVERSAMPLING
    half_width, half_height = round(height * 0.49) // 2, height // 2
    for canvas, colour in ((colours, _BODY), (mask, (255, 255, 255))):
        _rounded(canvas, middle, half_width, half_height, colour)
    rim, bar = half_width // 7, height // 8
    cv2.rectangle(
        colours,
        (middle - half_width + rim, middle - half_height + bar),
        (middle + half_width - rim, middle + half_height - bar),
        _SCREEN,
        -1,
    )
    cv2.circle(colours, (middle, middle + half_height - bar // 2), half_width // 6, _KEY, 6)
    cv2.rectangle(
        colours,
        (middle - half_width // 4, middle - half_height + height // 18),
        (middle + half_width // 4, middle - half_height + height // 14),
        _KEY,
        -1,
    )


def _draw_fingers(colours: Image, mask: Image) -> None:
    middle = colours.shape[0] // 2
    height = _PHONE_HEIGHT * _OVERSAMPLING
    width = round(height * 0.49)
    for finger in range(4):
        place = (middle + width // 2 - width // 30, middle - height // 8 + finger * height // 7)
        shade = 0.9 + 0.03 * finger
        colour = (round(_SKIN[0] * shade), round(_SKIN[1] * shade), round(_SKIN[2] * shade))
        for canvas, paint in ((colours, colour), (mask, (255, 255, 255))):
            cv2.ellipse(canvas, place, (width // 5, height // 16), 0, 0, 360, paint, -1)
    for canvas, paint in ((colours, _SKIN), (mask, (255, 255, 255))):
        cv2.ellipse(
            canvas, (middle - width // 2, middle + height // 6), (width // 5, height // 9), 25, 0, 360, paint, -1
        )
        cv2.ellipse(
            canvas,
            (middle + width // 6, middle + round(height * 0.66)),
            (width // 2, height // 5),
            0,
            0,
            360,
            paint,
            -1,
        )


def _rounded(canvas: Image, middle: int, half_width: int, half_height: int, colour: Colour) -> None:
    radius = 2 * half_width // 7
    for inset_x, inset_y in ((radius, 0), (0, radius)):
        cv2.rectangle(
            canvas,
            (middle - half_width + inset_x, middle - half_height + inset_y),
            (middle + half_width - inset_x, middle + half_height - inset_y),
            colour,
            -1,
        )
    for x in (-half_width + radius, half_width - radius):
        for y in (-half_height + radius, half_height - radius):
            cv2.circle(canvas, (middle + x, middle + y), radius, colour, -1)

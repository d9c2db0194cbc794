"""What would make the camera's picture better: light, sharpness, and where the face is. Pure, 0.4 ms a picture.

Judges the picture and never the person: dark skin in good light is neither "dark" nor "backlit", because the whole
picture has to lack light, or the background has to be burnt out; sharpness is measured against the face's own contrast.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.contract.hints import Hint
from detectors.base import Box

Grey = NDArray[np.uint8]

SMALL = (160, 120)
"""Width and height at which light is judged."""
DARK_LUMA = 70
"""Nine tenths of the picture are darker. Of 80 webcam and COCO pictures the darkest one in order has 82."""
BURNT_LUMA = 247
"""Over-exposed from here, ISO/IEC 29794-5:2025 (over-exposure prevention)."""
BURNT_SHARE = 0.2
SHADED_LUMA = 70
"""Median of the face; with a fifth of the background burnt out, the light is behind the face."""
OUTSIDE = 0.05
"""Share of the face's width or height that lies beyond the picture's edge."""
FAR = 0.15
"""Height of the face by the picture's shorter side: at 72 px of 480 a head's turn is within 4 degrees of what it is
from near, at 60 px YuNet misses 6 of 15 faces (docs/models.md)."""
NEAR = 0.75
"""Share of the picture's height or width: from there on any nod leaves the picture."""
SHARP_WIDTH = 64
"""Width to which the middle of the face is brought, so that a large face counts no sharper than a small one."""
LEAST_WIDTH = 48
"""Below it the middle of a face has no detail to lose."""
SHARP = 0.015
"""Variance of the Laplacian (Pech-Pacheco 2000) by the variance of luma: 0.055 to 0.8 in sharp pictures of webcams, at
most 0.014 in the same blurred by 2 px or more (docs/models.md)."""
ROUNDING = 20 / 12
"""What whole numbers of luma alone give (variance 1/12, weights 1, 1, 1, 1, -4): flat pictures would look sharp."""
LEAST_CONTRAST = 25.0


def hints(image: NDArray[np.uint8], faces: Sequence[Box]) -> list[Hint]:
    """Return what could be better in ``image`` (H×W×3, BGR), of whose ``faces`` the largest is the candidate's."""
    face = max(faces, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), default=None)
    found = _light(image, face)
    if face is not None:
        found += _place(image, face)
        found += [Hint.BLURRED] if _is_blurred(image, face) else []
    return found


def _light(image: NDArray[np.uint8], face: Box | None) -> list[Hint]:
    small = cv2.cvtColor(cv2.resize(image, SMALL, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    if float(np.percentile(small, 90)) < DARK_LUMA:
        return [Hint.DARK]
    if face is None:
        return []
    height, width = image.shape[:2]
    left, top, right, bottom = _within(face, width, height)
    across, down = SMALL[0] / width, SMALL[1] / height
    inside = np.zeros(small.shape, np.bool_)
    inside[round(top * down) : round(bottom * down), round(left * across) : round(right * across)] = True
    if not inside.any() or inside.all():
        return []
    burnt = float((small[~inside] >= BURNT_LUMA).mean())
    return [Hint.BACKLIT] if burnt >= BURNT_SHARE and float(np.median(small[inside])) < SHADED_LUMA else []


def _place(image: NDArray[np.uint8], face: Box) -> list[Hint]:
    height, width = image.shape[:2]
    left, top, right, bottom = face
    tall, wide = bottom - top, right - left
    beyond = max(-left / wide, -top / tall, (right - width) / wide, (bottom - height) / tall)
    if tall >= NEAR * height or wide >= NEAR * width:
        return [Hint.TOO_NEAR]
    found = [Hint.CUT_OFF] if beyond > OUTSIDE else []
    return found + ([Hint.TOO_FAR] if tall < FAR * min(height, width) else [])


def _is_blurred(image: NDArray[np.uint8], face: Box) -> bool:
    height, width = image.shape[:2]
    left, top, right, bottom = face
    aside, above = (right - left) / 5, (bottom - top) / 5  # the middle: no hair, no background
    left, top, right, bottom = _within((left + aside, top + above, right - aside, bottom - above), width, height)
    if right - left < LEAST_WIDTH or bottom - top < LEAST_WIDTH:
        return False
    middle = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    size = (SHARP_WIDTH, max(8, round(middle.shape[0] * SHARP_WIDTH / middle.shape[1])))
    even = cv2.resize(middle, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    detail = float(cv2.Laplacian(even, cv2.CV_32F)[1:-1, 1:-1].var()) - ROUNDING
    return detail / max(float(even.var()), LEAST_CONTRAST) < SHARP


def _within(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Return ``box`` in whole pixels, cut at the picture's edges."""
    left, top, right, bottom = box
    return max(0, round(left)), max(0, round(top)), min(width, round(right)), min(height, round(bottom))

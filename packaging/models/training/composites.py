"""Puts objects where a webcam would see them (copy and paste), and hides phones behind other things (hard negatives).

What comes out is synthetic, is made for training alone and is never tested on. A cut-out keeps the fingers around the
object: its edges are blended, as in Dwibedi et al., "Cut, Paste and Learn" (arXiv:1708.01642).
Boxes are left, top, right, bottom in pixels. Pure; runs where models are made, never in the product.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from training.webcam import Image

Corners = tuple[int, int, int, int]
_LEAST_SIDE = 12  # of a cut-out and of a pasted object, in pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cutout:
    """An object with a little of what is around it; ``inner`` is its box within ``pixels``."""

    pixels: Image
    inner: Corners
    label: str


def cut_out(image: Image, box: Corners, label: str, *, margin: float = 0.15) -> Cutout | None:
    """Return the object in ``box``, or ``None`` if it is too small or fills the picture, with nothing around it."""
    height, width = image.shape[:2]
    left, top, right, bottom = box
    if min(right - left, bottom - top) < _LEAST_SIDE or (right - left) * (bottom - top) > 0.6 * width * height:
        return None
    aside, above = round(margin * (right - left)), round(margin * (bottom - top))
    x, y = max(0, left - aside), max(0, top - above)
    pixels = image[y : bottom + above, x : right + aside].copy()
    return Cutout(pixels=pixels, inner=(left - x, top - y, right - x, bottom - y), label=label)


def paste(image: Image, cutout: Cutout, middle: tuple[float, float], tall: float) -> Corners | None:
    """Blend the object into ``image``, ``tall`` pixels in its longer side; return its box, ``None`` without room."""
    left, top, right, bottom = cutout.inner
    scale = tall / max(right - left, bottom - top)
    if tall < _LEAST_SIDE:
        return None
    size = (max(1, round(cutout.pixels.shape[1] * scale)), max(1, round(cutout.pixels.shape[0] * scale)))
    x, y = round(middle[0] - size[0] / 2), round(middle[1] - size[1] / 2)
    if x < 0 or y < 0 or x + size[0] > image.shape[1] or y + size[1] > image.shape[0]:
        return None
    small = cv2.resize(cutout.pixels, size, interpolation=cv2.INTER_AREA)
    weight = _faded(size[1], size[0])
    place = image[y : y + size[1], x : x + size[0]]
    place[:] = (small * weight + place * (1 - weight)).round().astype(np.uint8)
    return x + round(left * scale), y + round(top * scale), x + round(right * scale), y + round(bottom * scale)


def _faded(height: int, width: int) -> NDArray[np.float32]:
    """Return weights [H, W, 1]: 1 in the middle, falling to 0 over the outer eighth of each side."""
    across, down = (np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) for side in (width, height))
    weights = np.clip(np.minimum(down[:, None] * 8 / height, across[None] * 8 / width), 0, 1)
    return np.asarray(weights[:, :, None], np.float32)


def near_person(person: Corners, rng: np.random.Generator) -> tuple[tuple[float, float], float]:
    """Return where a held object's middle may be and its longer side: at the ear, before the chest, or beside the head.

    Both in pixels; ``person`` is the box of head and shoulders as a webcam sees them.
    """
    left, top, right, bottom = person
    width, height = right - left, bottom - top
    x, y = [(0.3, 0.3), (0.7, 0.3), (0.5, 0.65), (0.2, 0.55), (0.8, 0.55)][int(rng.integers(5))]
    middle = left + width * (x + rng.normal(0, 0.06)), top + height * (y + rng.normal(0, 0.06))
    return middle, float(height * rng.uniform(0.14, 0.32))


def cover(image: Image, box: Corners, rng: np.random.Generator) -> None:
    """Hide what is in ``box`` behind a plain object of the same shape, as a wallet or a case in the same hand would be.

    Its surface is a piece of the same picture, blurred, so that light and colour fit; its corners are round.
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    side = max(4, min(width, height, *image.shape[:2]) // 2)
    y, x = (int(rng.integers(0, size - side + 1)) for size in image.shape[:2])
    surface = cv2.resize(image[y : y + side, x : x + side], (width, height), interpolation=cv2.INTER_LINEAR)
    surface = cv2.GaussianBlur(surface, (0, 0), max(1.0, side / 6))
    shaded = np.clip(surface * np.linspace(rng.uniform(0.7, 1), 1, height)[:, None, None], 0, 255)
    place = image[top:bottom, left:right]
    place[:] = np.where(_rounded(height, width), shaded, place).astype(np.uint8)


def _rounded(height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask [H, W, 1] of a rectangle with round corners."""
    radius = max(1, min(height, width) // 6)
    mask = np.zeros((height, width), np.uint8)
    cv2.rectangle(mask, (radius, 0), (width - radius - 1, height - 1), 1, -1)
    cv2.rectangle(mask, (0, radius), (width - 1, height - radius - 1), 1, -1)
    for x in (radius, width - radius - 1):
        for y in (radius, height - radius - 1):
            cv2.circle(mask, (x, y), radius, 1, -1)
    return mask[:, :, None].astype(np.bool_)

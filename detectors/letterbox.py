"""Fitting a picture into a model's input and boxes back into the picture, pixel for pixel as ultralytics does.

Source: ``LetterBox`` and ``scale_boxes`` of ultralytics 8.4. Pure; runs in the detection thread.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

STRIDE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a frame of ``frame`` (height, width) lies in an input of ``size``: scaled by ``gain``, moved by the pad."""

    frame: tuple[int, int]
    size: tuple[int, int]
    gain: float
    left: int
    top: int

    @property
    def scaled(self) -> tuple[int, int]:
        """Height and width of the frame inside the input, in pixels."""
        return round(self.frame[0] * self.gain), round(self.frame[1] * self.gain)

    def restore(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map boxes [N, 4] (left, top, right, bottom) from input pixels to frame pixels and clip them."""
        moved = (boxes - np.array([self.left, self.top] * 2, np.float32)) / np.float32(self.gain)
        height, width = self.frame
        limits = np.array([width, height] * 2, np.float32)
        return np.asarray(np.clip(moved, 0, limits), np.float32)


def rect_shape(frame: tuple[int, int], side: int) -> tuple[int, int]:
    """Return the least (height, width) in steps of 32 that holds the frame scaled to ``side`` on its longer side."""
    gain = min(side / frame[0], side / frame[1])
    height, width = (round(length * gain) for length in frame)
    return -(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE


def fit(frame: tuple[int, int], size: tuple[int, int], *, centred: bool = True) -> Fit:
    """Plan how to fit a frame (height, width) into ``size``: in the middle, or at the top left (YOLOX)."""
    gain = min(size[0] / frame[0], size[1] / frame[1])
    plan = Fit(frame=frame, size=size, gain=gain, left=0, top=0)
    if not centred:
        return plan
    height, width = plan.scaled
    # The 0.1 puts the odd pixel on the right and at the bottom.
    top, left = round((size[0] - height) / 2 - 0.1), round((size[1] - width) / 2 - 0.1)
    return Fit(frame=frame, size=size, gain=gain, left=left, top=top)


def place(image: NDArray[np.uint8], plan: Fit, *, grey: int = 114) -> NDArray[np.uint8]:
    """Return ``image`` (H×W×3) scaled and padded with ``grey`` to the input's size."""
    height, width = plan.scaled
    if plan.frame != (height, width):
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    if plan.size == (height, width):
        return image
    canvas = np.full((*plan.size, 3), grey, np.uint8)
    canvas[plan.top : plan.top + height, plan.left : plan.left + width] = image
    return canvas

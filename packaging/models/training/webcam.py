"""Makes a good photograph look like a picture of a cheap webcam: dark, noisy, discoloured, blurred, compressed.

Arithmetic on pictures (H×W×3, BGR, 8 bits), each step drawn from the generator it is given, so that the same seed makes
the same picture. Pure; runs where models are made, never in the product.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def as_by_webcam(image: Image, rng: np.random.Generator) -> Image:
    """Return the picture after the steps that a webcam would have put it through; each happens in a share of draws."""
    if rng.random() < 0.5:
        image = white_balance(image, rng.uniform(-0.2, 0.2), rng.uniform(-0.1, 0.1))
    if rng.random() < 0.5:
        image = exposed(image, rng.uniform(0.3, 1.2), rng.uniform(0.8, 1.6))
    if rng.random() < 0.3:
        image = moved(image, int(rng.integers(3, 10)), rng.uniform(0, 180))
    if rng.random() < 0.5:
        image = noisy(image, rng.uniform(2, 14), rng)
    if rng.random() < 0.7:
        image = compressed(image, int(rng.integers(30, 90)))
    return image


def exposed(image: Image, gain: float, gamma: float) -> Image:
    """Return the picture with ``gain`` times the light (0.3 is a dark room) and shadows deepened by ``gamma``."""
    levels = 255 * np.clip(gain * np.linspace(0, 1, 256) ** gamma, 0, 1)
    return np.asarray(cv2.LUT(image, levels.round().astype(np.uint8)), np.uint8)


def white_balance(image: Image, warmth: float, tint: float) -> Image:
    """Return the picture with red raised by the share ``warmth`` and blue lowered by it, green raised by ``tint``."""
    gains = np.array([1 - warmth, 1 + tint, 1 + warmth], np.float32)
    return np.asarray(np.clip(image * gains, 0, 255), np.uint8)


def noisy(image: Image, deviation: float, rng: np.random.Generator) -> Image:
    """Return the picture with noise of ``deviation`` levels, twice as much in the dark, where a sensor amplifies."""
    amount = deviation * (2 - image.mean(axis=2, keepdims=True) / 255)
    return np.asarray(np.clip(image + rng.standard_normal(image.shape, np.float32) * amount, 0, 255), np.uint8)


def moved(image: Image, length: int, degrees: float) -> Image:
    """Return the picture blurred along a line of ``length`` pixels."""
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), degrees, 1)
    kernel = cv2.warpAffine(line, turn, (length, length))
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def compressed(image: Image, quality: int) -> Image:
    """Return the picture after JPEG at ``quality`` (1 to 100)."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

"""Single pictures: a frame as JPEG."""

import cv2
import numpy as np
from numpy.typing import NDArray

QUALITY = 80
THUMBNAIL_QUALITY = 60


def jpeg(image: NDArray[np.uint8], quality: int = QUALITY) -> bytes:
    """Return an H×W×3 BGR picture as a JPEG file; raises ``ValueError`` when it can't be encoded."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {image.shape} can't be encoded")
    return data.tobytes()


def thumbnail(image: NDArray[np.uint8], width: int) -> bytes:
    """Return an H×W×3 BGR picture as a small JPEG file, at most ``width`` pixels wide."""
    rows, columns = image.shape[:2]
    if columns > width:
        size = (width, max(1, rows * width // columns))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return jpeg(image, THUMBNAIL_QUALITY)

"""Single pictures: a frame as JPEG."""

import cv2
import numpy as np
from numpy.typing import NDArray

QUALITY = 80


def jpeg(image: NDArray[np.uint8], quality: int = QUALITY) -> bytes:
    """Return an H×W×3 BGR picture as a JPEG file; raises ``ValueError`` when it can't be encoded."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {image.shape} can't be encoded")
    return data.tobytes()

"""The pictures that a model is calibrated with and compared on: enough of them, and each one readable.

Asked for before anything is trained or exported. Pure apart from reading files.
"""

from pathlib import Path

import cv2
from training.refusals import BadData

MOST, COMPARISON = 128, 32
"""How many pictures calibration looks at, and with how many an export is compared."""


def pictures_in(folder: Path) -> list[Path]:
    """Return the JPEG pictures of ``folder`` by name. Raises ``BadData`` for too few, or one that can not be read."""
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    if len(paths) < COMPARISON:
        raise BadData(
            f"{folder} holds {len(paths)} JPEG pictures, and at least {COMPARISON} are needed. Give pictures like "
            "those that a webcam sees."
        )
    for path in paths:
        if cv2.imread(str(path)) is None:
            raise BadData(f"{path} is no picture that can be read. Replace or remove it.")
    return paths

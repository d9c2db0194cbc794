"""The check of the camera's picture before the exam: whether a face can be seen well, and else what would help.

Runs in the recorder's main thread. It never keeps an exam from starting and keeps no picture.
"""

from collections import Counter

from app.contract.errors import UserFacing
from app.contract.hints import HINTS, Hint
from capture.refusals import source_lost
from capture.sources import SourceLost, VideoSource
from detectors.base import PictureDetector

SETTLE = 10
"""Pictures that a camera needs for light and focus."""
JUDGED = 5
NO_FACE = "No face can be seen in the picture."
SIT = "Sit in front of the camera, with your face towards it. What covers your face for a reason is no hindrance."


def look_at_picture(camera: VideoSource, faces: PictureDetector) -> str:
    """Return that all is well; raise ``UserFacing`` with what would help, as seen in most of ``JUDGED`` pictures."""
    seen = Counter[str]()
    camera.open()
    try:
        for _ in range(SETTLE):
            camera.read()
        for _ in range(JUDGED):
            seen.update({one.label for one in faces.detect(camera.read())})
    except SourceLost as error:
        raise source_lost(str(error)) from error
    finally:
        camera.close()
    advice = [HINTS[hint] for hint in Hint if 2 * seen[hint.value] > JUDGED]
    if 2 * seen["face"] <= JUDGED:
        raise UserFacing(NO_FACE, advice=" ".join([*advice, SIT]), code="E-PICTURE")
    if advice:
        raise UserFacing("Your face can be seen.", advice=" ".join(advice), code="E-PICTURE")
    return "Your face can be seen well."

"""The calibration before an exam that follows the eyes: the candidate looks at the middle of the screen for a moment.

Runs in the recorder's main thread, before the exam, where the policy asks for ``gaze``. It never keeps an exam from
starting: what it does not learn, the first seconds of the exam teach.
"""

from app.contract.errors import UserFacing
from app.messages import Check
from capture.refusals import source_lost
from capture.sources import SourceLost, VideoSource
from detectors.ahead import ahead_of
from detectors.face_reader import FaceReader

NAME = "Gaze"
ASK = Check(name=NAME, ok=True, blocking=False, message="Please look at the middle of this screen for three seconds …")
LOOKS = 12
FRAMES_A_LOOK = 4


def learn_ahead(camera: VideoSource, reader: FaceReader) -> str:
    """Return what was learned; raise ``UserFacing`` with what to do where it was nothing."""
    reader.ahead = None
    looks = []
    camera.open()
    try:
        for _ in range(LOOKS):
            for _ in range(FRAMES_A_LOOK - 1):
                camera.read()
            looks.append(reader.detect(camera.read()))
    except SourceLost as error:
        raise source_lost(str(error)) from error
    finally:
        camera.close()
    reader.ahead = ahead_of(looks)
    if reader.ahead is None or reader.ahead.eyes is None:
        raise UserFacing(
            "Where you look when you look at the screen could not be measured.",
            advice="Check again and look at the middle of the screen, or go on: it is learned in the first seconds.",
            code="E-GAZE",
        )
    return "Where you look when you look at the screen is known; it is kept in memory only."

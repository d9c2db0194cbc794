"""The checks before the exam: each says in one sentence what was found and, if it is not right, what to do.

Runs in the recorder's main thread. Judges nothing by itself: black pictures, disk space and models are judged where
they are known (``capture.health``, ``capture.spool``, ``app.recorder.detection``).
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.contract.errors import FairlockError, Retryable, UserFacing
from app.contract.incidents import Track
from app.contract.policy import Policy
from app.contract.words import words
from app.messages import Check
from app.recorder import gaze_check
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.picture_check import look_at_picture
from app.recorder.sources import Sources
from capture.frames import Frame
from capture.health import is_black
from capture.refusals import camera_black, source_lost
from capture.room import check_room
from capture.sources import AudioSource, Origin, SourceLost, VideoSource
from detectors.catalogue import Task
from detectors.face_reader import FaceReader

FRAMES_TO_WAKE = 20
LONGEST_REASON = 300
ADVICE = "Close other programs and try again; if it stays, restart the computer."

TITLES = {Track.CAMERA: "Camera", Track.MICROPHONE: "Microphone", Track.SCREEN: "Screen"}

_log = logging.getLogger("fairlock.recorder")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What the checks look at."""

    policy: Policy
    client: ServerClient
    sources: Sources
    folder: Path
    detection: DetectionChoice


def run_checks(context: CheckContext) -> Iterator[Check]:
    """Yield the result of one check after another; none of them raises."""
    yield _check("Server", lambda: _server(context))
    yield _check("Disk", lambda: _disk(context))
    for source in context.sources:
        yield _check_source(source)
    yield _check("Detection", lambda: _detection(context), blocking=False)
    yield from _picture(context)
    yield from _gaze(context)


def check_picked(context: CheckContext, track: Track) -> Iterator[Check]:
    """Yield the checks of a device that was picked; what was learned through another camera is forgotten."""
    for source in context.sources:
        if source.track is track:
            yield _check_source(source)
    if track is not Track.CAMERA:
        return
    reader = _face_reader(context)
    if reader is not None:
        reader.ahead = None
    yield from _picture(context)
    yield from _gaze(context)


def _check_source(source: VideoSource | AudioSource) -> Check:
    """Open a source, take something from it, and close it."""
    return _check(TITLES[source.track], lambda: _source(source))


def _picture(context: CheckContext) -> Iterator[Check]:
    """Say what would make the camera's picture better, where the policy wants such hints."""
    camera = context.sources.camera if context.policy.detection.hints else None
    faces = next((one for one in context.detection.detectors.pictures if one.name == Task.FACES), None)
    if camera is not None and faces is not None:
        yield _check("Picture", lambda: look_at_picture(camera, faces), blocking=False)


def _face_reader(context: CheckContext) -> FaceReader | None:
    return next((one for one in context.detection.detectors.pictures if isinstance(one, FaceReader)), None)


def _gaze(context: CheckContext) -> Iterator[Check]:
    """Ask to look at the screen, and measure how that looks, where the policy wants eyes followed."""
    camera = context.sources.camera if context.policy.detection.gaze else None
    reader = _face_reader(context)
    if camera is not None and reader is not None:
        yield gaze_check.ASK
        yield _check(gaze_check.NAME, lambda: gaze_check.learn_ahead(camera, reader), blocking=False)


def _check(name: str, probe: Callable[[], str], *, blocking: bool = True) -> Check:
    try:
        return Check(name=name, ok=True, blocking=blocking, message=probe())
    except FairlockError as error:
        return Check(name=name, ok=False, blocking=blocking, message=str(error))
    except OSError as error:
        return Check(name=name, ok=False, blocking=blocking, message=f"{error.strerror or error}. {ADVICE}")
    except Exception as error:  # noqa: BLE001  (what models and drivers raise: one check that fails, not all of them)
        _log.exception("checking %s", name)
        advice = ADVICE if blocking else "The exam can start without it. To have it, check again."
        message = f"This could not be checked ({type(error).__name__}: {words(str(error), LONGEST_REASON)}). {advice}"
        return Check(name=name, ok=False, blocking=blocking, message=message)


def _server(context: CheckContext) -> str:
    try:
        context.client.policy(context.policy.exam)
    except Retryable as error:
        raise UserFacing(
            "Your institution's server does not answer.",
            advice="Check the connection to the network, then check again.",
            code=error.code,
        ) from error
    return "Your institution's server answers."


def _disk(context: CheckContext) -> str:
    return f"{check_room(context.folder) / 2**30:.0f} GiB are free."


def _source(source: VideoSource | AudioSource) -> str:
    source.open()
    try:
        first = source.read()
        if source.track is Track.CAMERA and isinstance(first, Frame):
            _not_black(source, first)
    except SourceLost as error:
        raise source_lost(str(error)) from error
    finally:
        source.close()
    return f"{source.name} works." if source.origin is Origin.DEVICE else f"{source.name} stands in for a device."


def _not_black(source: VideoSource | AudioSource, frame: Frame) -> None:
    """Cameras need some pictures to adjust; black after that is black."""
    for _ in range(FRAMES_TO_WAKE):
        if not is_black(frame.image):
            return
        following = source.read()
        if isinstance(following, Frame):
            frame = following
    raise camera_black()


def _detection(context: CheckContext) -> str:
    names = context.detection.prepare(context.policy.detection)
    works = "; ".join(f"{task}: {name}" for task, name in sorted(names.items()))
    refused = context.detection.refused
    if refused:
        raise UserFacing(
            f"{works or 'Nothing works'}. {' '.join(refused.values())}",
            advice="The recording works without.",
            code="E-MODEL-MISSING",
        )
    return works or "This exam wants no detection."

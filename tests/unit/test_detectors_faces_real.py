"""Faces, heads and eyes on real pictures, through the whole line. Skipped where models or media are not at hand."""

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.contract.incidents import Incident, IncidentKind, Track
from app.contract.policy import Detection
from capture.frames import Frame
from capture.stored import stored_frames
from detectors.build import Detectors, build
from detectors.catalogue import load_catalogue
from detectors.faces import load_face_finder
from detectors.pipeline import DetectionPipeline
from tests.unit.detector_models import instant

SHARED = Path(__file__).parents[2].parent / "shared"
MODELS, MEDIA = SHARED / "models", SHARED / "media"
TURNING = MEDIA / "headpose" / "head-pose-face-detection-female.gif"
EYES = MEDIA / "webcam_gaze" / "center_left_center.mp4"

pytestmark = pytest.mark.skipif(
    not (MEDIA.is_dir() and (MODELS / "face_landmarks_478.onnx").is_file()),
    reason="the shared models and media are not beside this checkout",
)


def _built(policy: Detection) -> Detectors:
    cards = load_catalogue()
    built = build(policy, {card.name: MODELS / card.file for card in cards}, cards)
    assert not built.refused
    return built


def _policy(**settings: bool) -> Detection:
    return Detection(objects=False, speech=False, rate_permille=2_000, **settings)


def _incidents(frames: Iterator[Frame], policy: Detection) -> list[Incident]:
    numbers = itertools.count(1)
    said: dict[str, Incident] = {}
    with DetectionPipeline(
        detectors=_built(policy),
        policy=policy,
        frames=None,
        sound=None,
        new_id=lambda: str(next(numbers)),
        on_incident=lambda one: said.update({one.id: one}),
    ) as pipeline:
        for frame in frames:
            pipeline.look(frame)
    return list(said.values())


def test_yunet_is_read_as_opencv_reads_it() -> None:
    """Box, eyes and score of each face; OpenCV itself is the peer, at the same size and with room for as many faces."""
    card, floor = load_catalogue().named("yunet"), 0.5
    finder = load_face_finder(MODELS / card.file, card, floor)
    peer = cv2.FaceDetectorYN.create(str(MODELS / card.file), "", (320, 256), floor, 0.3, 5_000)
    paths = [
        *sorted((MEDIA / "images").glob("*.jpg")),
        *sorted((MEDIA / "webcam_objects" / "images").glob("*.jpg"))[:20],
    ]
    seen = 0
    for image in (np.asarray(cv2.imread(str(path)), np.uint8) for path in paths):
        height, width = image.shape[:2]
        scale = 320 / max(height, width)
        size = (round(width * scale), round(height * scale))
        peer.setInputSize(size)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        rows: object = peer.detect(small)[1]  # None where there is no face, whatever its types say
        theirs = [] if rows is None else sorted(np.asarray(rows).tolist(), key=lambda row: -float(row[14]))
        ours = finder.find(image)
        seen += len(theirs)
        assert [face.score for face in ours] == pytest.approx([row[14] for row in theirs], abs=1e-5)
        for face, (left, top, across, down, x0, y0, x1, y1, *_) in zip(ours, theirs, strict=True):
            box = (left, top, left + across, top + down)
            assert face.box == pytest.approx([edge / scale for edge in box], abs=0.01)
            eyes = sorted([(x0, y0), (x1, y1)])
            assert np.array(face.eyes) == pytest.approx(np.array(eyes) / scale, abs=0.01)
    assert seen >= len(paths) // 2


@functools.cache
def _yaws() -> list[float]:
    (reader,) = _built(_policy()).pictures
    frames = stored_frames(TURNING, rate=30, longest=640)
    heads = [one for frame in frames for one in reader.detect(frame) if one.label == "head"]
    assert all(head.score > 0.9 for head in heads)
    return [head.values["yaw"] for head in heads]


def test_a_woman_who_turns_her_head_is_followed_from_side_to_side() -> None:
    """FSA-Net says -51 at the farthest to the left and 31 to the right."""
    yaws = _yaws()
    assert len(yaws) == 23
    assert min(yaws) == pytest.approx(-50, abs=4)
    assert max(yaws) == pytest.approx(32, abs=4)
    steps = np.abs(np.diff(yaws))
    assert max(steps) < 16


def test_a_head_that_turns_and_stays_looks_away() -> None:
    """Her picture nearest to the camera for six seconds, then the one turned farthest for six."""
    frames = [frame.image for frame in stored_frames(TURNING, rate=30, longest=640)]
    yaws = _yaws()
    ahead, away = frames[int(np.argmin(np.abs(yaws)))], frames[int(np.argmin(yaws))]
    shown = [ahead] * 12 + [away] * 12 + [ahead] * 12
    played = (
        Frame(source=Track.CAMERA, seq=number, at=instant(number / 2), image=image)
        for number, image in enumerate(shown)
    )
    (incident,) = _incidents(played, _policy())
    assert incident.kind is IncidentKind.LOOKING_AWAY
    assert incident.facts["direction"] == "to the left of the picture"
    assert 6 <= incident.start.mono_ns / 1e9 <= 7
    assert 11 <= incident.end.mono_ns / 1e9 <= 13


def test_eyes_that_turn_alone_look_away_where_the_policy_asks() -> None:
    """Eyes centre for 5 s, to one side for 5 s, centre again; the head stays."""
    (incident,) = _incidents(stored_frames(EYES, rate=4, longest=640), _policy(gaze=True))
    assert incident.kind is IncidentKind.LOOKING_AWAY
    assert incident.facts["seen_by"] == "eyes"
    assert 4.5 <= incident.start.mono_ns / 1e9 <= 6.5
    assert 9.5 <= incident.end.mono_ns / 1e9 <= 11


def test_a_man_at_a_webcam_who_holds_things_up_does_not_look_away() -> None:
    """Single pictures of an honest man, one a half second: his head moves by up to 20 degrees."""
    files = sorted((MEDIA / "webcam_objects" / "images").glob("*.jpg"))[:120:3]
    sized = (np.asarray(cv2.resize(np.asarray(cv2.imread(str(file))), (640, 480)), np.uint8) for file in files)
    played = (
        Frame(source=Track.CAMERA, seq=number, at=instant(number / 2), image=image)
        for number, image in enumerate(sized)
    )
    assert _incidents(played, _policy(gaze=True)) == []

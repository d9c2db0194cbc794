"""The calibration of gaze: one mark, measured before the exam, handed to the detection once, in memory only."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.clock import ManualClock
from app.contract.errors import UserFacing
from app.contract.incidents import IncidentKind
from app.contract.policy import Detection
from app.recorder.checks import CheckContext, run_checks
from app.recorder.gaze_check import LOOKS, learn_ahead
from app.recorder.sources import Sources
from capture.fake import FakeVideo
from detectors.ahead import Ahead, ahead_of
from detectors.base import Observation
from detectors.build import Detectors
from detectors.catalogue import load_catalogue
from detectors.face_reader import FaceReader
from detectors.faces import Face
from detectors.mesh import FaceMesh, Mesh
from detectors.scene import Scene
from detectors.temporal import Temporal
from tests.unit.detector_models import instant, picture
from tests.unit.shell_policies import POLICY
from tests.unit.test_detectors_head_pose import turned
from tests.unit.test_recorder_picture_check import Answering, Loaded

POINTS = ((33, 133, 468, 159, 145), (362, 263, 473, 386, 374))


class Finder:
    """Finds the same face everywhere, or none."""

    card = load_catalogue().named("yunet")

    def __init__(self, *, is_there: bool = True) -> None:
        self._is_there = is_there

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        face = Face(0.9, (200.0, 100.0, 440.0, 400.0), ((260.0, 200.0), (380.0, 200.0)))
        return [face] if self._is_there and image.size else []


class Points(FaceMesh):
    """Measures heads turned by ``yaw(look)`` degrees, eyes in the middle of their openings."""

    def __init__(self, yaw: Callable[[int], float]) -> None:
        self._yaw, self._looks = yaw, 0

    def measure(self, image: NDArray[np.uint8], box: object, eyes: object) -> Mesh:
        points = turned(self._yaw(self._looks), -12, 0)
        self._looks += 1
        for left, right, iris, upper, lower in POINTS:
            middle = (points[left] + points[right]) / 2
            points[iris], points[upper], points[lower] = middle, middle - (0, 5, 0), middle + (0, 5, 0)
        return Mesh(points=points, score=1.0)


def _camera() -> FakeVideo:
    return FakeVideo(ManualClock())


def _reader(yaw: Callable[[int], float], *, is_there: bool = True) -> FaceReader:
    return FaceReader(Finder(is_there=is_there), Scene(), Points(yaw))


def test_who_looks_at_the_screen_teaches_where_straight_ahead_is() -> None:
    reader = _reader(lambda look: 25 + look % 2)
    assert "is known" in learn_ahead(_camera(), reader)
    first, second = (reader.detect(picture(480, 640, at=at)) for at in (0, 1))
    (ahead,) = [one for one in first if one.label == "ahead"]
    assert ahead.values == pytest.approx({"yaw": 25.5, "pitch": -12, "eyes": 0}, abs=1.0)
    assert [one for one in second if one.label == "ahead"] == []


@pytest.mark.parametrize(
    "reader", [_reader(lambda look: 40.0 if look % 2 else -10.0), _reader(lambda _look: 0, is_there=False)]
)
def test_who_looks_about_or_is_not_there_is_told_what_to_do(reader: FaceReader) -> None:
    with pytest.raises(UserFacing, match="could not be measured") as refusal:
        learn_ahead(_camera(), reader)
    assert "first seconds" in refusal.value.advice
    assert reader.ahead is None


def test_a_glance_aside_does_not_spoil_it() -> None:
    reader = _reader(lambda look: 60.0 if look in (3, 4) else 0.0)
    learn_ahead(_camera(), reader)
    assert reader.ahead is not None
    assert reader.ahead.yaw == pytest.approx(0, abs=1)


def _looks(values: Sequence[tuple[float, float]]) -> list[list[Observation]]:
    def seen(label: str, **angles: float) -> Observation:
        return Observation(detector="faces", at=instant(0), label=label, score=1.0, values=angles)

    return [[seen("head", yaw=yaw, pitch=0.0, roll=0.0), seen("gaze", yaw=eyes)] for yaw, eyes in values]


def test_closed_eyes_leave_the_head() -> None:
    heads = [look[:1] for look in _looks([(5, 0)] * LOOKS)]
    assert ahead_of(heads) == Ahead(yaw=5, pitch=0, eyes=None)
    assert ahead_of(heads[:3]) is None


def test_the_exam_starts_from_it_even_if_its_first_seconds_show_something_else() -> None:
    """Somebody who looks aside from the first second on; without the calibration that would be straight ahead."""
    temporal = Temporal(Detection(), lambda: "1")
    ahead = Observation(detector="faces", at=instant(0), label="ahead", score=1.0, values={"yaw": 0.0, "pitch": 0.0})
    said = []
    for step in range(40):
        (look,) = _looks([(45, 0)])
        said += temporal.look(instant(step / 4), "faces", [*look, *([ahead] if step == 0 else [])])
    assert IncidentKind.LOOKING_AWAY in {one.kind for one in said}


@pytest.mark.parametrize("gaze", [True, False])
def test_the_check_asks_first_and_only_where_the_policy_follows_eyes(tmp_path: Path, gaze: bool) -> None:
    detection = Loaded()
    detection.detectors = Detectors(pictures=(_reader(lambda _look: 0),))
    context = CheckContext(
        policy=replace(POLICY, detection=Detection(gaze=gaze, hints=False)),
        client=Answering("http://127.0.0.1:1"),
        sources=Sources(camera=_camera()),
        folder=tmp_path,
        detection=detection,
    )
    said = [check for check in run_checks(context) if check.name == "Gaze"]
    assert [check.message.split()[0] for check in said] == (["Please", "Where"] if gaze else [])
    assert not any(check.blocking for check in said)

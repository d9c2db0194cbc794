"""The check of the camera's picture: what would help is said, and nothing of it keeps an exam from starting."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.errors import UserFacing
from app.contract.hints import HINTS, Hint
from app.contract.policy import Detection
from app.contract.wire import PolicyAnswer
from app.recorder.checks import CheckContext, run_checks
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.picture_check import NO_FACE, look_at_picture
from app.recorder.sources import Sources
from capture.fake import FakeVideo
from capture.frames import Frame
from detectors.base import Observation
from detectors.build import Detectors
from detectors.catalogue import ModelCard, load_catalogue
from tests.unit.shell_policies import POLICY


class Faces:
    """A detector of faces that sees the same in every picture, but for the first ``late`` ones."""

    name = "faces"

    def __init__(self, labels: Sequence[str], *, late: int = 0) -> None:
        self._labels, self._late = labels, late

    @property
    def card(self) -> ModelCard:
        return load_catalogue().named("yunet")

    def detect(self, frame: Frame) -> list[Observation]:
        self._late -= 1
        if self._late >= 0:
            return []
        return [Observation(detector=self.name, at=frame.at, label=label, score=0.9) for label in self._labels]


def _camera() -> FakeVideo:
    return FakeVideo(ManualClock())


def test_a_face_that_is_seen_well_is_well() -> None:
    assert look_at_picture(_camera(), Faces(["face", "head"])) == "Your face can be seen well."


@pytest.mark.parametrize("hint", list(Hint))
def test_each_hint_says_what_to_do(hint: Hint) -> None:
    with pytest.raises(UserFacing, match="Your face can be seen") as refusal:
        look_at_picture(_camera(), Faces(["face", hint.value]))
    assert refusal.value.advice == HINTS[hint]


def test_no_face_says_where_to_sit() -> None:
    with pytest.raises(UserFacing, match=NO_FACE) as refusal:
        look_at_picture(_camera(), Faces(["dark"]))
    assert HINTS[Hint.DARK] in refusal.value.advice


def test_a_face_in_most_pictures_is_enough() -> None:
    look_at_picture(_camera(), Faces(["face"], late=2))
    with pytest.raises(UserFacing):
        look_at_picture(_camera(), Faces(["face"], late=3))


def test_the_check_never_blocks(tmp_path: Path) -> None:
    detection = Loaded()
    detection.detectors = Detectors(pictures=(Faces(["dark"]),))
    context = CheckContext(
        policy=replace(POLICY, detection=Detection(objects=False, faces=False, speech=False)),
        client=Answering("http://127.0.0.1:1"),
        sources=Sources(camera=_camera()),
        folder=tmp_path,
        detection=detection,
    )
    checks = {check.name: check for check in run_checks(context)}
    assert not checks["Picture"].ok
    assert not checks["Picture"].blocking
    without = replace(context, policy=replace(POLICY, detection=Detection(faces=False, objects=False, hints=False)))
    assert "Picture" not in {check.name for check in run_checks(without)}


class Raising(Faces):
    """A model that fails in a way that nobody foresaw."""

    def detect(self, frame: Frame) -> list[Observation]:
        raise ValueError("Non-zero status code returned while running Conv node")


def test_a_model_that_fails_is_a_warning_and_the_camera_is_let_go_of(tmp_path: Path) -> None:
    detection, camera = Loaded(), _camera()
    detection.detectors = Detectors(pictures=(Raising([]),))
    context = CheckContext(
        policy=replace(POLICY, detection=Detection(objects=False, faces=False, speech=False)),
        client=Answering("http://127.0.0.1:1"),
        sources=Sources(camera=camera),
        folder=tmp_path,
        detection=detection,
    )
    check = list(run_checks(context))[-1]
    assert (check.name, check.ok, check.blocking) == ("Picture", False, False)
    assert "Conv node" in check.message
    assert "The exam can start without it." in check.message
    assert not camera._open


def test_a_device_that_fails_unforeseen_blocks_and_says_what_to_do(tmp_path: Path) -> None:
    class Odd(FakeVideo):
        def open(self) -> None:
            raise ValueError("a desktop without pixels")

    context = CheckContext(
        policy=replace(POLICY, detection=Detection(objects=False, faces=False, speech=False, hints=False)),
        client=Answering("http://127.0.0.1:1"),
        sources=Sources(camera=Odd(ManualClock())),
        folder=tmp_path,
        detection=Loaded(),
    )
    (check,) = [check for check in run_checks(context) if check.name == "Camera"]
    assert (check.ok, check.blocking) == (False, True)
    assert "restart the computer" in check.message


class Loaded(DetectionChoice):
    """Detectors that were loaded before."""

    def prepare(self, policy: Detection) -> dict[str, str]:
        return {}


class Answering(ServerClient):
    """A server that is there."""

    def policy(self, exam: str) -> PolicyAnswer:
        return PolicyAnswer(policy="", institution_key=b"")

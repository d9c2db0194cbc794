"""The checks before the exam: whatever is wrong, one sentence says so and what to do; none of them raises."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.errors import UserFacing
from app.contract.policy import Detection
from app.contract.wire import PolicyAnswer
from app.messages import Check
from app.models import fetch, sources
from app.recorder import detection as module
from app.recorder.checks import FRAMES_TO_WAKE, CheckContext, run_checks
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.sources import Sources
from capture.fake import FakeMicrophone, FakeVideo
from capture.pictures import Picture
from capture.refusals import camera_busy, no_camera
from detectors.catalogue import Catalogue, Form, Grade, ModelCard, Task
from tests.unit.shell_policies import POLICY

NO_DETECTION = Detection(objects=False, faces=False, speech=False)


class Answering(ServerClient):
    """A server that is there."""

    def policy(self, exam: str) -> PolicyAnswer:
        return PolicyAnswer(policy="", institution_key=b"")


class Camera(FakeVideo):
    """A camera whose pictures are all of one brightness until picture ``wakes_at``."""

    def __init__(self, brightness: int, *, wakes_at: int = 10_000, limit: int | None = None) -> None:
        super().__init__(ManualClock(), limit=limit)
        self._brightness, self._wakes_at = brightness, wakes_at

    def _draw(self, number: int) -> Picture:
        if number >= self._wakes_at:
            return super()._draw(number)
        return np.full((self.height, self.width, 3), self._brightness, np.uint8)


class Refusing(FakeVideo):
    """A camera that does not open."""

    def __init__(self, refusal: UserFacing) -> None:
        super().__init__(ManualClock())
        self._refusal = refusal

    def open(self) -> None:
        raise self._refusal


@pytest.fixture
def context(tmp_path: Path) -> CheckContext:
    return CheckContext(
        policy=replace(POLICY, detection=NO_DETECTION),
        client=Answering("http://127.0.0.1:1"),
        sources=Sources(camera=FakeVideo(ManualClock()), microphone=FakeMicrophone(ManualClock())),
        folder=tmp_path,
        detection=DetectionChoice(),
    )


def found(context: CheckContext, name: str) -> Check:
    return {check.name: check for check in run_checks(context)}[name]


def with_camera(context: CheckContext, camera: FakeVideo) -> CheckContext:
    return replace(context, sources=Sources(camera=camera))


def test_all_is_well(context: CheckContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50 * 2**30))
    checks = list(run_checks(context))
    assert [(check.name, check.ok) for check in checks] == [
        ("Server", True),
        ("Disk", True),
        ("Camera", True),
        ("Microphone", True),
        ("Detection", True),
    ]
    assert checks[1].message == "50 GiB are free."


def test_a_server_that_is_away(context: CheckContext) -> None:
    check = found(replace(context, client=ServerClient("http://127.0.0.1:9")), "Server")
    assert (check.ok, check.blocking) == (False, True)
    assert check.message == (
        "Your institution's server does not answer. Check the connection to the network, then check again."
    )


def test_a_disk_nearly_full(context: CheckContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=700 * 2**20))
    check = found(context, "Disk")
    assert (check.ok, check.blocking) == (False, True)
    assert "700 MiB are free, 2,048 MiB are needed" in check.message
    assert "empty the bin" in check.message


def test_a_folder_that_is_gone_is_said_and_not_raised(context: CheckContext, tmp_path: Path) -> None:
    check = found(replace(context, folder=tmp_path / "gone"), "Disk")
    assert not check.ok
    assert "can't be written to" in check.message
    assert "No such file or directory. See that this folder" in check.message


@pytest.mark.parametrize("brightness", [0, 12, 120, 255], ids=["black", "dark noise", "covered", "glaring"])
def test_a_camera_that_shows_nothing(context: CheckContext, brightness: int) -> None:
    check = found(with_camera(context, Camera(brightness)), "Camera")
    assert (check.ok, check.blocking) == (False, True)
    assert "shutter" in check.message


def test_a_camera_that_needs_a_moment_to_wake(context: CheckContext) -> None:
    assert found(with_camera(context, Camera(0, wakes_at=FRAMES_TO_WAKE - 1)), "Camera").ok


@pytest.mark.parametrize("refusal", [no_camera, lambda: camera_busy("Front")], ids=["none", "busy"])
def test_a_camera_that_does_not_open(context: CheckContext, refusal: Callable[[], UserFacing]) -> None:
    check = found(with_camera(context, Refusing(refusal())), "Camera")
    assert (check.ok, check.blocking) == (False, True)
    assert check.message == str(refusal())


def test_a_camera_that_is_lost_while_it_is_checked(context: CheckContext) -> None:
    camera = Camera(0, limit=3)
    check = found(with_camera(context, camera), "Camera")
    assert not check.ok
    assert check.message.startswith("No more made-up pictures. Connect the device again")
    assert not camera._open


# --- detection ---------------------------------------------------------------------------------------------------


def _card(task: Task, form: Form, data: bytes, *, rank: int = 1) -> ModelCard:
    return ModelCard(
        name=f"{task}-{rank}",
        task=task,
        file=f"{task}-{rank}.onnx",
        sha256=hashlib.sha256(data).hexdigest(),
        licence="CC0-1.0",
        form=form,
        input=(1, 512),
        classes=("speech",),
        grade=Grade.RELEASE,
        rank=rank,
        source="made in a test",
    )


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder named in the environment; two models of speech are in the catalogue, of which the second loads."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv(sources.FOLDER_VARIABLE, str(folder))
    monkeypatch.setattr(sources, "beside_checkout", lambda _name: None)
    monkeypatch.setattr(fetch, "default_folder", lambda: tmp_path / "cache")
    cards = (_card(Task.SPEECH, Form.SILERO, b"best"), _card(Task.SPEECH, Form.SILERO, b"plain", rank=2))
    monkeypatch.setattr(module, "load_catalogue", lambda: Catalogue(cards))
    return folder


@pytest.fixture
def listening(context: CheckContext) -> CheckContext:
    return replace(context, policy=replace(POLICY, detection=Detection(objects=False, faces=False)))


def test_a_missing_model(listening: CheckContext, models: Path) -> None:
    check = found(listening, "Detection")
    assert (check.ok, check.blocking) == (False, False)
    assert check.message.startswith("Nothing works. No model for speech could be obtained.")
    assert sources.FOLDER_VARIABLE in check.message


def test_a_model_with_a_wrong_hash(listening: CheckContext, models: Path) -> None:
    (models / "speech-1.onnx").write_bytes(b"something else")
    check = found(listening, "Detection")
    assert (check.ok, check.blocking) == (False, False)
    assert "speech-1.onnx from the folder in FAIRLOCK_MODELS has a wrong sha256 and was refused." in check.message


def test_a_genuine_model_that_does_not_load(listening: CheckContext, models: Path) -> None:
    (models / "speech-1.onnx").write_bytes(b"best")  # the catalogue's bytes, but no model
    check = found(listening, "Detection")
    assert (check.ok, check.blocking) == (False, False)
    assert "speech-1" in check.message


def test_a_wrong_hash_is_said_though_another_model_serves(
    listening: CheckContext, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models / "speech-1.onnx").write_bytes(b"something else")
    (models / "speech-2.onnx").write_bytes(b"plain")

    class Listener:
        name = "speech"

        def __init__(self, _path: Path, card: ModelCard) -> None:
            self.card = card

    monkeypatch.setattr("detectors.build.load_speech_detector", Listener)
    check = found(listening, "Detection")
    assert (check.ok, check.blocking) == (False, False)
    assert check.message.startswith("speech: speech-2 (release). speech-1.onnx from")
    assert "wrong sha256" in check.message

"""Another device picked before the exam: it is checked as the first one was, and what that one taught is forgotten."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app import messages as m
from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Detection
from app.messages import Check
from app.recorder import device_choice
from app.recorder.joining import JoinedSession
from app.recorder.options import RecorderOptions
from app.recorder.recorder import Recorder
from app.recorder.sources import Sources
from capture.fake import FakeMicrophone, FakeVideo
from detectors.build import Detectors
from detectors.face_reader import FaceReader
from tests.unit.shell_policies import POLICY
from tests.unit.test_recorder_gaze_check import _reader
from tests.unit.test_recorder_picture_check import Answering, Loaded

GAZE = Detection(gaze=True, hints=True)


@pytest.fixture
def pick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Track, FaceReader, Detection], list[Check]]:
    """Pick a device after the checks, in the recorder's own handler; return the checks that it sends."""

    def picking(track: Track, reader: FaceReader, wanted: Detection) -> list[Check]:
        clock = ManualClock()
        sent: list[object] = []
        recorder = Recorder(sent.append, RecorderOptions(home=tmp_path))
        monkeypatch.setattr(
            device_choice, "choose", lambda *_: Sources(camera=FakeVideo(clock), microphone=FakeMicrophone(clock))
        )
        recorder._session._joined = cast(
            JoinedSession, SimpleNamespace(policy=replace(POLICY, detection=wanted), folder=tmp_path)
        )
        recorder._session._client, recorder._devices._has_checked = Answering("http://127.0.0.1:1"), True
        recorder._devices._detection = Loaded()
        recorder._devices._detection.detectors = Detectors(pictures=(reader,))
        recorder.handle(m.PickDevice(track=track, name="another"))
        recorder._devices.let_go()
        assert [type(one) for one in sent if not isinstance(one, Check | m.Preview)] == [m.DevicesFound]
        return [one for one in sent if isinstance(one, Check)]

    return picking


def test_another_camera_is_looked_through_again(pick: Callable[..., list[Check]]) -> None:
    reader = _reader(lambda _look: 30)
    checks = pick(Track.CAMERA, reader, GAZE)
    assert [check.name for check in checks] == ["Camera", "Picture", "Gaze", "Gaze"]
    assert reader.ahead is not None
    assert reader.ahead.yaw == pytest.approx(30, abs=1)


def test_what_another_camera_taught_is_forgotten_also_where_nothing_is_learned(
    pick: Callable[..., list[Check]],
) -> None:
    reader = _reader(lambda _look: 0)
    pick(Track.CAMERA, reader, GAZE)
    assert reader.ahead is not None
    assert [check.name for check in pick(Track.CAMERA, reader, Detection(hints=False))] == ["Camera"]
    assert reader.ahead is None


def test_another_microphone_leaves_what_the_camera_taught(pick: Callable[..., list[Check]]) -> None:
    reader = _reader(lambda _look: 0)
    pick(Track.CAMERA, reader, GAZE)
    assert [check.name for check in pick(Track.MICROPHONE, reader, GAZE)] == ["Microphone"]
    assert reader.ahead is not None

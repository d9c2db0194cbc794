"""However the sending fails at the end: files are closed, heartbeats end, and what earlier exams left goes on."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app import messages as m
from app.contract.errors import Retryable
from app.recorder import recording as recording_module
from app.recorder.background import BackgroundUpload
from app.recorder.client import ServerClient
from app.recorder.heartbeat import HeartbeatLoop
from app.recorder.marks import FINISHED, HANDED_IN
from app.recorder.options import RecorderOptions
from app.recorder.recorder import Recorder
from app.recorder.sources import Sources
from tests.unit.test_recorder_recording import Bench


class Called:
    """Remembers which of its methods was called."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self) -> None:
        self.names.append("start")

    def stop(self) -> None:
        self.names.append("stop")


class Ending:
    """A recorder that records into ``folder``, in this process, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.said, self.background, self.beats = list[object](), Called(), Called()
        self.recorder = Recorder(self.said.append, RecorderOptions(home=folder))
        self.recording = Bench(folder).recording(Sources())
        self.recorder._session._joined = self.recording._parts.joined
        self.recorder._session._client = ServerClient("http://127.0.0.1:9")
        self.recorder._session._background = cast(BackgroundUpload, self.background)
        self.recorder._under_way._beats = cast(HeartbeatLoop, self.beats)
        self.recorder._under_way.recording = self.recording
        self.recording.start()

    def finish(self, reason: str) -> m.Flushed:
        self.recorder.handle(m.Finish(reason=reason))
        (flushed,) = (message for message in self.said if isinstance(message, m.Flushed))
        return flushed


def test_an_end_that_the_server_does_not_take_is_coped_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_parts: object, **_named: object) -> bool:
        raise Retryable("the server is away")

    ending = Ending(tmp_path)
    monkeypatch.setattr(ending.recording.uploader, "drain", lambda _deadline_s, _progress: True)
    monkeypatch.setattr(recording_module, "end_session", refused)
    flushed = ending.finish("submit")
    assert (flushed.complete, flushed.message) == (False, "the server is away")
    assert (ending.background.names, ending.beats.names) == (["start"], ["stop"])
    assert ending.recorder._under_way.recording is None
    assert (tmp_path / HANDED_IN).exists()
    assert not (tmp_path / FINISHED).exists()


def test_what_earlier_exams_left_goes_on_also_where_nothing_was_recorded(tmp_path: Path) -> None:
    said, background = list[object](), Called()
    recorder = Recorder(said.append, RecorderOptions(home=tmp_path))
    saved = SimpleNamespace(origin_mono_ns=0)
    recorder._session._joined = SimpleNamespace(saved=saved, folder=tmp_path)  # type: ignore[assignment]
    recorder._session._client = ServerClient("http://127.0.0.1:9")
    recorder._session._background = cast(BackgroundUpload, background)
    recorder.handle(m.Finish(reason="failed"))
    assert [message.complete for message in said if isinstance(message, m.Flushed)] == [True]
    assert background.names == ["start"]

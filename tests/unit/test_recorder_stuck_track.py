"""Encoders that never come back around the hand-in: the session ends all the same, and with nothing left out."""

import threading
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from app.contract.incidents import Track
from app.contract.journal import EntryType
from app.contract.sealing import jws
from app.contract.sealing.records import COMPLETION_TYPE, FORMAT_VERSION, Completion, End
from app.contract.wire import EndAnswer, EndRequest
from app.recorder import encoders, tracks
from app.recorder.client import ServerClient
from app.recorder.recording import Recording
from app.recorder.sources import Sources
from capture.encoder import VideoEncoder
from capture.fake import FakeVideo
from capture.fragments import Fragment
from capture.frames import Frame
from capture.track import DRAIN_S, TrackRecorder
from tests.unit.test_recorder_recording import Bench
from tests.xserver import wait_for

DEADLINE_S = 60.0


class Stands(VideoEncoder):
    """Encodes ``good`` pictures and then stands until the gate opens."""

    good = 20
    gate = threading.Event()
    standing: ClassVar[set[str]] = set()

    def encode(self, item: Frame) -> list[Fragment]:
        if item.seq >= self.good:
            self.standing.add(item.source.value)
            assert self.gate.wait(DEADLINE_S)
        return super().encode(item)


@pytest.fixture
def stands(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Stands]]:
    monkeypatch.setattr(Stands, "gate", threading.Event())
    monkeypatch.setattr(Stands, "standing", set())
    monkeypatch.setattr(encoders, "VideoEncoder", Stands)
    monkeypatch.setattr(tracks, "STOP_DEADLINE_S", 0.1)
    yield Stands
    Stands.gate.set()
    for thread in threading.enumerate():
        if thread.name.endswith("-seal"):
            thread.join(DEADLINE_S)


def taken(recording: Recording, ends: list[End]) -> Callable[[ServerClient, str, EndRequest], EndAnswer]:
    """Return a server's answer to a session's end of which it has everything."""
    joined = recording._parts.joined

    def end(_client: ServerClient, session: str, request: EndRequest) -> EndAnswer:
        ends.append(jws.unverified(End, request.end))
        completion = Completion(version=FORMAT_VERSION, session=session, end=jws.digest(request.end), completed_ms=1)
        return EndAnswer(completion=jws.sign(completion, joined.signing_key, typ=COMPLETION_TYPE), missing=0)

    return end


@pytest.fixture
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("session"))


def test_an_encoder_that_stands_at_the_hand_in_does_not_keep_the_session_from_ending(
    bench: Bench, stands: type[Stands], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = list[End]()
    recording = bench.recording(FakeVideo(bench.clock))
    monkeypatch.setattr(ServerClient, "end", taken(recording, ends))
    monkeypatch.setattr(recording.uploader, "drain", lambda _deadline_s, _progress: True)
    recording.start()
    recording.wait_for_first_fragments()
    wait_for(lambda: stands.standing, "the encoder to stand")
    recording.stop()
    assert recording.flush("submit", 7, lambda _sent, _total: None)
    spool = bench.folder / "spool"
    (end,) = ends
    assert end.segments["camera"] == len(list(spool.glob("*-camera-*.fls"))) >= 1
    assert end.records == len(list(spool.glob("*.fls")))
    assert list(spool.glob("*.part")) == []
    kept_ms = recording.chain.ends()[Track.CAMERA]
    recording.close()
    (gap,) = [gap for gap in bench.journal(EntryType.GAP) if gap["reason"] == "nothing was encoded or stored"]
    assert (gap["track"], gap["from_ms"]) == ("camera", kept_ms)


@pytest.mark.parametrize("is_needed_soon", [False, True], ids=["at the end", "before another recording"])
def test_tracks_that_stand_end_at_the_same_time(
    bench: Bench, stands: type[Stands], monkeypatch: pytest.MonkeyPatch, is_needed_soon: bool
) -> None:
    asked = list[bool]()

    def stop(recorder: TrackRecorder[Frame], deadline_s: float, longest_s: float) -> bool:
        asked.append(all(one._stopping.is_set() and one._queue._closed for one in recording._tracks._recorders))
        assert longest_s == (tracks.STOP_DEADLINE_S if is_needed_soon else DRAIN_S)
        return whole_stop(recorder, deadline_s, longest_s)

    whole_stop = TrackRecorder[Frame].stop
    monkeypatch.setattr(TrackRecorder, "stop", stop)
    monkeypatch.setattr(stands, "good", 0)
    recording = bench.recording(
        Sources(camera=FakeVideo(bench.clock), screen=FakeVideo(bench.clock, track=Track.SCREEN))
    )
    recording.start()
    wait_for(lambda: stands.standing == {"camera", "screen"}, "both encoders to stand")
    if is_needed_soon:
        recording.hurry()
    recording.stop()
    recording.close()
    assert asked == [True, True], "none waits for another's end to begin with its own"
    assert recording._tracks.all_stopped

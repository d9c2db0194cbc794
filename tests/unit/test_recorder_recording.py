"""The recording with real parts and made-up devices: what fails in a track is in the journal, and never silent."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import SystemClock
from app.contract.canonical import Json
from app.contract.incidents import Track
from app.contract.journal import Entry, EntryType, decode_entries
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from app.contract.sealing.segment import open_segment
from app.contract.times import Clock
from app.recorder import encoders as module
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.joining import JoinedSession, SavedSession
from app.recorder.journal import Journal
from app.recorder.options import RecorderOptions
from app.recorder.recording import Recording, RecordingParts
from app.recorder.sources import Sources
from app.recorder.tracks import NOT_RECORDING
from capture.encoder import VideoEncoder
from capture.fake import FakeVideo
from capture.fragments import Fragment
from capture.frames import Frame
from capture.sources import SourceLost
from capture.track import TrackLost
from tests.unit.capture_parts import EXAMINER, SESSION, recipient
from tests.unit.shell_policies import POLICY
from tests.xserver import wait_for

DEADLINE_S = 60.0


class Away(FakeVideo):
    """A camera that is lost before picture 10 and comes back when it is opened again."""

    was_away = False

    def read(self) -> Frame:
        if self._seq == 10 and not self.was_away:
            self.was_away = True
            raise SourceLost("unplugged")
        if self._seq == 30:
            self.seen.set()
        return super().read()

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.seen = threading.Event()


class Broken(VideoEncoder):
    """Encodes a number of pictures, and then no more."""

    good = 0

    def encode(self, item: Frame) -> list[Fragment]:
        if item.seq >= self.good:
            raise RuntimeError("out of order")
        return super().encode(item)


class Bench:
    """A recording of one camera into a folder, and what its journal says afterwards."""

    def __init__(self, folder: Path, clock: Clock | None = None, policy: Policy = POLICY) -> None:
        self.folder, self.clock, self._policy = folder, clock or SystemClock(), policy
        self.began = self.clock.now()
        self.lost: list[TrackLost] = []
        self.told = threading.Event()
        self.server = "http://127.0.0.1:9"

    def recording(self, camera: FakeVideo | Sources, epoch: int = 0) -> Recording:
        """Return a recording; the later epochs of one bench go on with its session."""
        now = self.began
        saved = SavedSession(
            link="",
            session=SESSION,
            candidate="c",
            client_token=bytes(32),
            policy="",
            institution_key=b"",
            origin_mono_ns=now.mono_ns,
            origin_utc_ms=now.utc_ms,
        )
        key = Ed25519PrivateKey.generate()
        joined = JoinedSession(
            saved=saved,
            folder=self.folder,
            policy=replace(self._policy, recipients=(recipient(),)),
            policy_digest=bytes(32),
            receipt_key=key.public_key(),
            signing_key=key,
            epoch=epoch,
            entry_url="",
        )
        return Recording(
            RecordingParts(
                joined=joined,
                client=ServerClient(self.server),
                sources=camera if isinstance(camera, Sources) else Sources(camera=camera),
                detection=DetectionChoice(),
                clock=self.clock,
                options=RecorderOptions(home=self.folder),
                on_track_lost=self._lose,
            )
        )

    def _lose(self, error: TrackLost) -> None:
        self.lost.append(error)
        self.told.set()

    def journal(self, kind: EntryType, epoch: int = 0) -> Iterator[Mapping[str, Json]]:
        yield from (entry.body for entry in self.entries(epoch) if entry.type is kind)

    def entries(self, epoch: int = 0) -> list[Entry]:
        """Return the whole journal of an epoch."""
        paths = sorted(
            (self.folder / "spool").glob(f"{epoch}-journal-*.fls"), key=lambda path: int(path.stem.split("-")[2])
        )
        opened = [open_segment(path.read_bytes(), EXAMINER) for path in paths]
        return [entry for one in opened for fragment in one.fragments for entry in decode_entries(fragment)]

    def records(self, track: Track) -> list[Mapping[str, int]]:
        """Return epoch and start of the track's segments."""
        tokens = (self.folder / "chain").read_text().splitlines()
        records = [jws.unverified(Record, token) for token in tokens]
        return [{"epoch": one.epoch, "start_ms": one.start_ms} for one in records if one.track is track]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_source_that_is_lost_and_back_is_two_incidents_and_a_gap(bench: Bench) -> None:
    camera = Away(bench.clock)
    recording = bench.recording(camera)
    recording.start()
    assert camera.seen.wait(DEADLINE_S)
    recording.stop()
    recording.close()
    incidents = list(bench.journal(EntryType.INCIDENT))
    assert [(body["kind"], body["source"]) for body in incidents] == [
        ("source_lost", "camera"),
        ("source_back", "camera"),
    ]
    (gap,) = bench.journal(EntryType.GAP)
    assert gap["reason"] == "the device was lost"
    assert incidents[1]["start_ms"] == gap["to_ms"]
    assert bench.lost == []


def _is_past(recording: Recording, bench: Bench, at_ms: int) -> bool:
    return recording.timeline.at_ms(bench.clock.now()) > at_ms


def test_the_time_between_two_epochs_is_a_gap(bench: Bench) -> None:
    for epoch in (0, 1):
        recording = bench.recording(FakeVideo(bench.clock), epoch)
        before = recording.chain.ends()
        # Else it could begin in the very place where the one before ended.
        pause_ms = before.get(Track.CAMERA, 0) + 200
        wait_for(partial(_is_past, recording, bench, pause_ms), "a pause between the two")
        recording.start()
        recording.wait_for_first_fragments()
        recording.stop()
        recording.close()
    assert list(bench.journal(EntryType.GAP, epoch=0)) == []
    (gap,) = bench.journal(EntryType.GAP, epoch=1)
    assert (gap["track"], gap["from_ms"], gap["reason"]) == ("camera", before[Track.CAMERA], NOT_RECORDING)
    starts = [one["start_ms"] for one in bench.records(Track.CAMERA) if one["epoch"] == 1]
    assert gap["to_ms"] == min(starts) > before[Track.CAMERA]


def test_a_track_that_fails_too_often_is_told_and_a_gap_to_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "good", 20)
    monkeypatch.setattr(module, "VideoEncoder", Broken)
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    recording.wait_for_first_fragments()
    assert bench.told.wait(DEADLINE_S)
    recording.stop()
    ended_ms = recording.timeline.at_ms(bench.clock.now())
    recording.close()
    assert [error.code for error in bench.lost] == ["E-TRACK-LOST"]
    restarted = [body for body in bench.journal(EntryType.INCIDENT) if body["kind"] == "component_restarted"]
    assert [body["severity"] for body in restarted] == ["info", "info", "info", "alert"]
    assert {body["source"] for body in restarted} == {"camera"}
    gap = list(bench.journal(EntryType.GAP))[-1]
    kept = recording.timeline.at_ms(bench.clock.now())
    assert gap["reason"] == "encoding or sealing failed"
    assert isinstance(gap["to_ms"], int)
    assert gap["to_ms"] <= ended_ms <= kept
    assert list((bench.folder / "spool").glob("*.part")) == []


def test_a_track_that_never_works_is_no_recording(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VideoEncoder", Broken)
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    with pytest.raises(TrackLost, match="camera can't be recorded any more"):
        recording.wait_for_first_fragments()
    recording.stop()
    recording.close()
    assert list(bench.journal(EntryType.GAP))[-1]["track"] == Track.CAMERA


def test_a_disk_that_is_full_at_the_end_stops_neither_the_upload_nor_ends_the_session(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(journal: Journal) -> None:
        stop(journal)
        raise OSError(28, "No space left on device")

    stop = Journal.stop
    monkeypatch.setattr(Journal, "stop", full)
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    recording.wait_for_first_fragments()
    recording.stop()
    drained: list[float] = []

    def drain(deadline_s: float, _progress: object) -> bool:
        drained.append(deadline_s)
        return True

    monkeypatch.setattr(recording.uploader, "drain", drain)
    assert recording.flush("submit", 7, lambda _sent, _total: None) is False
    assert drained == [7]
    recording.close()

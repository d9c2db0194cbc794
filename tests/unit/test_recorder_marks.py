"""When a session counts as handed in: from its last moment on, until its candidate records again."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.messages import ENDS_SESSION
from app.recorder import recording as recording_module
from app.recorder.finishing import finish
from app.recorder.marks import FINISHED, HANDED_IN, is_over, mark_handed_in, mark_taken_up
from app.recorder.recording import Recording
from app.recorder.sources import Sources
from tests.unit.test_recorder_recording import Bench

FAULTS = ("fatal", "failed", "lock_failed", "cancel", "refused", "")


class Server:
    """What the server has of a recording, and whether it was told the end."""

    def __init__(self) -> None:
        self.has_all, self.ended = True, list[str]()

    def drain(self, _deadline_s: float, _progress: object) -> bool:
        return self.has_all

    def end(self, *_parts: object, reason: str) -> bool:
        self.ended.append(reason)
        return True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(recording_module, "end_session", server.end)
    return server


@pytest.fixture
def recording(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recording]:
    recording = Bench(tmp_path).recording(Sources())
    monkeypatch.setattr(recording.uploader, "drain", server.drain)
    recording.start()
    yield recording
    recording.stop()
    recording.close()


def ends(recording: Recording, folder: Path, reason: str) -> bool:
    return finish(recording, folder, reason, deadline_s=1, on_progress=lambda _sent, _total: None)


def marks(folder: Path) -> set[str]:
    return {HANDED_IN, FINISHED} & {entry.name for entry in folder.iterdir()}


@pytest.mark.parametrize("reason", sorted(ENDS_SESSION))
def test_what_ends_for_good_is_marked_and_ended(
    recording: Recording, server: Server, tmp_path: Path, reason: str
) -> None:
    assert ends(recording, tmp_path, reason)
    assert server.ended == [reason]
    assert marks(tmp_path) == {HANDED_IN, FINISHED}


def test_what_is_not_sent_yet_is_handed_in_all_the_same(recording: Recording, server: Server, tmp_path: Path) -> None:
    server.has_all = False
    assert not ends(recording, tmp_path, "submit")
    assert server.ended == []
    assert marks(tmp_path) == {HANDED_IN}


@pytest.mark.parametrize("reason", FAULTS)
@pytest.mark.parametrize("has_all", [True, False])
def test_after_a_fault_the_session_stays_open(
    recording: Recording, server: Server, tmp_path: Path, reason: str, has_all: bool
) -> None:
    server.has_all = has_all
    assert ends(recording, tmp_path, reason) is has_all
    assert server.ended == []
    assert marks(tmp_path) == set()


def test_a_program_killed_while_it_seals_has_left_the_mark(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recording, "stop", killed)
        with pytest.raises(KeyboardInterrupt):
            ends(recording, tmp_path, "submit")
    assert marks(tmp_path) == {HANDED_IN}


def test_who_records_again_has_not_handed_in(recording: Recording, tmp_path: Path) -> None:
    saved, clock = recording._parts.joined.saved, SystemClock()
    mark_handed_in(tmp_path)
    assert is_over(tmp_path, saved, clock)
    mark_taken_up(tmp_path)
    mark_taken_up(tmp_path)
    assert not is_over(tmp_path, saved, clock)


def test_a_folder_that_takes_or_gives_no_mark_is_only_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / HANDED_IN).mkdir()
    with caplog.at_level(logging.WARNING):
        mark_handed_in(tmp_path / "gone")
        mark_taken_up(tmp_path)
    assert "can't be marked" in caplog.text
    assert "stays marked" in caplog.text

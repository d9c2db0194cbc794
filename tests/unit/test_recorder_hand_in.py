"""A hand-in is marked as soon as the recorder hears of it, whatever keeps it from finishing afterwards."""

from pathlib import Path

import pytest

from app import messages as m
from app.contract.errors import Retryable
from app.contract.session import SessionState
from app.contract.wire import ExamLink
from app.recorder import session_at_hand
from app.recorder.joining import session_folder
from app.recorder.marks import HANDED_IN
from app.recorder.options import RecorderOptions
from app.recorder.recorder import Recorder
from capture.track import TrackLost

LINK = ExamLink(server="http://127.0.0.1:9", exam="e", invite="i" * 22, pin="p" * 43).url()


class Rejoining:
    """A recorder whose network is down: it knows its session's folder, and its server does not answer."""

    def __init__(self, home: Path) -> None:
        self.said = list[object]()
        self.recorder = Recorder(self.said.append, RecorderOptions(home=home))
        self.folder = session_folder(home, ExamLink.parse(LINK))
        self.recorder.handle(m.OpenLink(link=LINK, program_token=bytes(32)))
        assert [type(message) for message in self.said] == [m.Refused]

    def is_marked(self) -> bool:
        return (self.folder / HANDED_IN).exists()


@pytest.fixture
def rejoining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rejoining:
    def unreachable(*_parts: object, **_named: object) -> None:
        raise Retryable("the network is down")

    monkeypatch.setattr(session_at_hand, "join", unreachable)
    return Rejoining(tmp_path)


@pytest.mark.parametrize("reason", sorted(m.ENDS_SESSION))
def test_who_unlocks_for_good_has_handed_in_before_anybody_can_finish(rejoining: Rejoining, reason: str) -> None:
    rejoining.recorder.handle(m.StateIs(state=SessionState.UNLOCKING, why=reason))
    assert rejoining.is_marked()


@pytest.mark.parametrize("reason", sorted(m.ENDS_SESSION))
def test_time_that_is_up_while_the_network_is_down_is_a_hand_in(rejoining: Rejoining, reason: str) -> None:
    rejoining.recorder.handle(m.Finish(reason=reason))
    assert rejoining.said[1:] == [m.Flushed(complete=False, message="the session was not joined yet")]
    assert rejoining.is_marked()


@pytest.mark.parametrize("fault", ["fatal", "failed", "lock_failed", "cancel", "a fault of our own", ""])
def test_a_fault_hands_nothing_in(rejoining: Rejoining, fault: str) -> None:
    rejoining.recorder.handle(m.StateIs(state=SessionState.UNLOCKING, why=fault))
    rejoining.recorder.handle(m.StateIs(state=SessionState.RUNNING, why="submit"))
    rejoining.recorder.handle(m.Finish(reason=fault))
    assert not rejoining.is_marked()


def test_who_never_opened_a_link_has_nothing_to_hand_in(tmp_path: Path) -> None:
    said = list[object]()
    recorder = Recorder(said.append, RecorderOptions(home=tmp_path))
    recorder.handle(m.StateIs(state=SessionState.UNLOCKING, why="submit"))
    recorder.handle(m.Finish(reason="submit"))
    assert [type(message) for message in said] == [m.Flushed]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("state", SessionState)
def test_a_track_lost_after_the_exam_does_not_keep_the_recorder_from_sending(
    rejoining: Rejoining, monkeypatch: pytest.MonkeyPatch, state: SessionState
) -> None:
    monkeypatch.setattr(rejoining.recorder, "_is_whole", True)
    rejoining.recorder.handle(m.StateIs(state=state, why="submit"))
    rejoining.recorder.handle(TrackLost("the camera is gone"))
    assert rejoining.recorder.leaving is (state not in (SessionState.UNLOCKING, SessionState.FLUSHING))

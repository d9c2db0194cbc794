"""A recorder that leaves: what the shell says while it seals is written and marked, and it ends in any case."""

import threading
from pathlib import Path
from typing import cast

import pytest

from app import messages as m
from app.contract.errors import Fatal
from app.contract.incidents import IncidentKind
from app.contract.journal import EntryType
from app.contract.session import SessionState
from app.mailbox import Bounded, Closed
from app.recorder import process
from app.recorder.background import BackgroundUpload
from app.recorder.marks import HANDED_IN
from app.recorder.options import RecorderOptions
from app.recorder.recorder import Recorder
from app.recorder.recording import Recording
from app.recorder.sources import Sources
from app.recorder.under_way import UnderWay
from capture.track import TrackLost
from tests.unit.test_recorder_recording import DEADLINE_S, Bench

SUBMITTED = m.StateIs(state=SessionState.UNLOCKING, why="submit")


class Ended:
    """Nothing to send from earlier exams."""

    def end(self, _deadline_s: float) -> bool:
        return True


class Leaver:
    """A recorder with an exam under way, whose process's main thread runs; the test is its shell."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.inbox: Bounded[object] = Bounded(process.INBOX)
        self.said: Bounded[object] = Bounded(100)
        self.recorder = Recorder(self.said.offer, RecorderOptions(home=folder))
        self.recorder._is_whole = True
        self.recorder._session._folder = folder
        self.recorder._session._background = cast(BackgroundUpload, Ended())
        recording = self.bench.recording(Sources())
        recording.start()
        self.recorder._under_way.recording = recording
        self.recorder._under_way._states.attach(recording.journal)
        self._main = threading.Thread(target=self._run, daemon=True)
        self._main.start()

    def _run(self) -> None:
        process._serve(self.inbox, self.recorder)
        process._close(self.inbox, self.recorder)

    def lose_a_track(self) -> None:
        """Lose one, and hear that the recorder leaves."""
        self.inbox.put(TrackLost("the camera is gone"))
        assert self.said.take(DEADLINE_S) == m.Leaving()

    def tell(self, *messages: object) -> None:
        for message in messages:
            self.inbox.put(message)

    def report(self, name: str) -> m.Report:
        now = self.bench.clock.now()
        return m.Report(kind=IncidentKind.PROCESS_FOUND, start=now, end=now, source="guard", facts={"name": name})

    def await_end(self) -> None:
        self._main.join(DEADLINE_S)
        assert not self._main.is_alive(), "it never leaves"

    def found(self) -> list[object]:
        """Return the programs of which the journal tells."""
        incidents = self.bench.journal(EntryType.INCIDENT)
        return [cast(dict[str, object], one["facts"])["name"] for one in incidents if one["kind"] == "process_found"]

    def is_marked(self) -> bool:
        return (self.bench.folder / HANDED_IN).exists()


class Gate:
    """Holds up whoever calls what it stands before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        self._reached, self._is_open = threading.Event(), threading.Event()
        really = getattr(owner, name)

        def wait_and_do(*arguments: object, **named: object) -> None:
            self._reached.set()
            assert self._is_open.wait(DEADLINE_S)
            really(*arguments, **named)

        monkeypatch.setattr(owner, name, wait_and_do)

    def await_somebody(self) -> None:
        assert self._reached.wait(DEADLINE_S), "nobody came"

    def open(self) -> None:
        self._is_open.set()


@pytest.fixture
def leaver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leaver:
    monkeypatch.setattr(process, "ANSWER_S", DEADLINE_S)  # a slow machine is no shell that does not answer
    return Leaver(tmp_path)


def await_heard(leaver: Leaver) -> None:
    """Wait until the recorder has taken all that it was told; two are never taken at once."""
    heard = threading.Event()
    really = leaver.recorder.hear_out

    def hear(message: object) -> None:
        if message == "mark":
            heard.set()
        else:
            really(message)

    leaver.recorder.hear_out = hear  # type: ignore[method-assign]
    leaver.tell("mark")
    assert heard.wait(DEADLINE_S), "nobody listens"


def test_what_was_said_before_the_shell_knew_is_written(leaver: Leaver) -> None:
    leaver.lose_a_track()
    leaver.tell(leaver.report("one"), m.MayLeave())
    leaver.await_end()
    assert leaver.found() == ["one"]
    assert not leaver.is_marked()


def test_what_is_said_while_it_seals_is_written_and_a_hand_in_marked(
    leaver: Leaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, Recording, "stop")
    leaver.lose_a_track()
    leaver.tell(m.MayLeave())
    gate.await_somebody()
    leaver.tell(leaver.report("late"), SUBMITTED)
    await_heard(leaver)
    assert leaver.is_marked()
    gate.open()
    leaver.await_end()
    assert leaver.found() == ["late"]
    assert [body["why"] for body in leaver.bench.journal(EntryType.STATE)] == ["submit"]


def test_who_submits_when_all_is_sealed_has_handed_in(leaver: Leaver, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch, UnderWay, "close")
    leaver.lose_a_track()
    leaver.tell(m.MayLeave())
    gate.await_somebody()
    leaver.tell(leaver.report("too late, and kept by the shell"), m.Finish(reason="submit"))
    await_heard(leaver)
    assert leaver.is_marked()
    gate.open()
    leaver.await_end()
    assert leaver.found() == []


def test_a_dead_journal_keeps_no_hand_in_from_being_marked(leaver: Leaver, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_entry: object) -> None:
        raise Fatal("the journal takes nothing", code="E-JOURNAL-FULL")

    leaver.lose_a_track()
    monkeypatch.setattr("app.recorder.journal.Journal.state", full)
    leaver.tell(SUBMITTED, m.MayLeave())
    leaver.await_end()
    assert leaver.is_marked()


def test_a_second_track_that_is_lost_changes_nothing(leaver: Leaver) -> None:
    leaver.lose_a_track()
    leaver.tell(TrackLost("the screen is gone"), SUBMITTED, TrackLost("the microphone is gone"), m.MayLeave())
    leaver.await_end()
    leaver.said.close()
    with pytest.raises(Closed):
        leaver.said.take(0)


def test_a_shell_that_does_not_answer_is_not_waited_for(leaver: Leaver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ANSWER_S", 0.01)
    leaver.lose_a_track()
    leaver.await_end()


@pytest.mark.parametrize("shell_is_there", [True, False])
def test_what_never_ends_is_left_to_the_next_start(
    leaver: Leaver, monkeypatch: pytest.MonkeyPatch, shell_is_there: bool
) -> None:
    monkeypatch.setattr(process, "CLOSING_S", 0.2)
    gate = Gate(monkeypatch, Recording, "stop")
    if shell_is_there:
        leaver.lose_a_track()
        leaver.tell(m.MayLeave())
    else:
        leaver.inbox.close()
    gate.await_somebody()
    leaver.await_end()
    gate.open()

"""The recorder as a real process against a real server: record, lose the server, crash, resume, verify."""

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from app import messages as m
from app.clock import SystemClock
from app.contract.incidents import IncidentKind
from app.contract.journal import EntryType
from app.contract.session import SessionState
from app.contract.times import Instant
from app.demo.processes import Display
from app.recorder.leftovers import send, unfinished
from app.recorder.marks import FINISHED, HANDED_IN, is_over, mark_handed_in
from app.recorder.options import RecorderOptions
from app.recorder.process import main as recorder_main
from app.supervisor import Child, Supervisor
from tests.e2e.stage import Stage, stage, write_camera, write_microphone

T = TypeVar("T")


class Shell:
    """The shell's side of the channel: keeps what arrives, and waits for kinds of messages."""

    def __init__(self, options: RecorderOptions) -> None:
        self._options = options
        self._arrived: list[object] = []
        self._changed = threading.Condition()
        self.supervisor = Supervisor()
        self.program_token = secrets.token_bytes(32)
        self.closed = threading.Event()
        self.child = self._spawn()

    def _spawn(self) -> Child:
        return self.supervisor.spawn(
            "recorder", recorder_main, self._options, on_message=self._take, on_closed=self.closed.set
        )

    def respawn(self) -> None:
        self.closed.clear()
        with self._changed:
            self._arrived.clear()
        self.child = self._spawn()

    def _take(self, message: object) -> None:
        with self._changed:
            self._arrived.append(message)
            self._changed.notify_all()

    def wait_for(self, kind: type[T], timeout_s: float = 40.0) -> T:
        def find() -> T | None:
            return next((message for message in self._arrived if isinstance(message, kind)), None)

        with self._changed:
            refused = next((x for x in self._arrived if isinstance(x, m.Refused)), None)
            assert refused is None or kind is m.Refused, refused
            assert self._changed.wait_for(lambda: find() is not None, timeout_s), (kind.__name__, self._arrived[-5:])
            found = find()
        assert found is not None
        return found

    def wait_until(self, holds: Callable[[m.Status], bool], timeout_s: float = 40.0) -> None:
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                last = next((x for x in reversed(self._arrived) if isinstance(x, m.Status)), None)
                if last is not None and holds(last):
                    return
                assert self._changed.wait(deadline - time.monotonic()), last

    def record(self, link: str) -> m.Joined:
        self.child.send(m.OpenLink(link=link, program_token=self.program_token))
        joined = self.wait_for(m.Joined)
        self.child.send(m.StateIs(state=SessionState.NOTICE, why="policy_verified"))
        self.child.send(m.RunChecks())
        self.wait_for(m.ChecksDone)
        self.child.send(m.StartRecording())
        self.wait_for(m.RecordingStarted)
        self.child.send(m.StateIs(state=SessionState.RUNNING, why="locked"))
        return joined

    def finish(self, reason: str = "submit") -> m.Flushed:
        self.child.send(m.Finish(reason=reason))
        return self.wait_for(m.Flushed)

    def marks(self) -> set[str]:
        """Return what the folder of the only session says about its end."""
        (folder,) = (self._options.home / "sessions").iterdir()
        return {HANDED_IN, FINISHED} & {entry.name for entry in folder.iterdir()}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as it:
        yield it


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    with Display(tmp_path, headless=True) as display:
        monkeypatch.setenv("DISPLAY", display.environment["DISPLAY"])
        monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        options = RecorderOptions(
            home=tmp_path / "home",
            sample_camera=write_camera(tmp_path / "camera.avi"),
            sample_microphone=write_microphone(tmp_path / "microphone.wav"),
            sample_note="test pattern and noise",
            prefer_samples=True,
        )
        it = Shell(options)
        yield it
        it.supervisor.stop(10)


@pytest.mark.slow
def test_a_session_survives_the_servers_death_and_verifies(running: Stage, shell: Shell) -> None:
    shell.record(running.institution.link)
    shell.child.send(m.Visited(address="https://exam.example/part/2", at=Instant(mono_ns=1, utc_ms=7)))
    shell.wait_until(lambda status: status.segments >= 3 and status.online)
    running.kill_server()
    shell.wait_until(lambda status: not status.online and status.pending_bytes > 0)
    running.restart_server()
    shell.wait_until(lambda status: status.online)
    flushed = shell.finish()
    assert flushed.complete, flushed

    findings = running.findings()
    assert findings.verdict.chain == "intact", findings.verdict.faults
    assert findings.verdict.complete
    assert not findings.unopened
    for track in ("camera", "screen", "microphone"):
        recorded, decoded = findings.recorded_seconds[track], findings.decoded_seconds[track]
        assert recorded > 8
        assert abs(recorded - decoded) < 1, (track, recorded, decoded)
    kinds = [incident["kind"] for incident in findings.incidents]
    assert IncidentKind.SERVER_UNREACHABLE in kinds
    assert IncidentKind.SERVER_BACK in kinds
    origins = {b["track"]: b["origin"] for b in findings.bodies(EntryType.SOURCE)}
    assert origins == {"camera": "sample", "screen": "device", "microphone": "sample"}
    states = [b["state"] for b in findings.bodies(EntryType.STATE)]
    assert states[:2] == ["notice", "running"]
    assert {"visited": "https://exam.example/part/2", "utc_ms": "7"} in list(findings.bodies(EntryType.NOTE))


@pytest.mark.slow
def test_a_killed_recorder_resumes_the_session_without_losing_what_was_sealed(running: Stage, shell: Shell) -> None:
    joined = shell.record(running.institution.link)
    shell.wait_until(lambda status: status.segments >= 3)
    pid = shell.child.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert shell.closed.wait(10)

    shell.respawn()
    again = shell.record(running.institution.link)
    assert again.session == joined.session
    shell.wait_until(lambda status: status.segments >= 10)
    assert shell.finish().complete

    findings = running.findings()
    assert findings.verdict.chain == "intact", findings.verdict.faults
    assert findings.verdict.complete
    epochs = {record.epoch for record in findings.verdict.records}
    assert epochs == {0, 1}
    assert any(not record.complete for record in findings.verdict.records), "no torn segment was recovered"
    assert IncidentKind.COMPONENT_RESTARTED in [incident["kind"] for incident in findings.incidents]


@pytest.mark.slow
def test_a_used_link_is_refused_with_the_servers_code(running: Stage, shell: Shell, tmp_path: Path) -> None:
    shell.record(running.institution.link)
    options = RecorderOptions(home=tmp_path / "another-home", prefer_samples=True)
    other = Shell(options)
    try:
        other.child.send(m.OpenLink(link=running.institution.link, program_token=secrets.token_bytes(32)))
        assert other.wait_for(m.Refused).code == "E-INVITE-USED"
    finally:
        other.supervisor.stop(10)
    assert shell.finish().complete


@pytest.mark.slow
def test_what_a_dead_application_left_is_sent_later(running: Stage, shell: Shell, tmp_path: Path) -> None:
    shell.record(running.institution.link)
    shell.wait_until(lambda status: status.segments >= 3)
    running.kill_server()
    shell.wait_until(lambda status: not status.online and status.pending_bytes > 0)
    pid = shell.child.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert shell.closed.wait(10)
    running.restart_server()

    home = tmp_path / "home"
    (folder, saved), *others = unfinished(home)
    assert not others
    assert not send(folder, saved, SystemClock(), deadline_s=60)  # its candidate may come back
    assert not running.examiner.get("sessions")["sessions"][0]["ended"]
    assert send(folder, saved, SystemClock(), deadline_s=60, even_open=True)  # waits until the dead program is gone
    assert list(unfinished(home)) == []
    findings = running.findings()
    assert findings.verdict.chain == "intact", findings.verdict.faults
    assert findings.verdict.complete


@pytest.mark.slow
def test_a_dead_shell_does_not_end_the_exam(running: Stage, shell: Shell) -> None:
    first = shell.record(running.institution.link)
    shell.wait_until(lambda status: status.segments >= 3)
    process = shell.child.process
    shell.child.channel.close()  # as a shell that died
    process.join(40)
    assert process.exitcode == 0
    session = running.examiner.get("sessions")["sessions"][0]
    assert not session["ended"]

    shell.program_token = secrets.token_bytes(32)  # the candidate starts Fairlock again
    shell.respawn()
    again = shell.record(running.institution.link)
    assert again.session == first.session
    assert again.elapsed_ms > 0
    assert shell.finish().complete
    findings = running.findings()
    assert findings.verdict.chain == "intact", findings.verdict.faults
    assert findings.verdict.complete


@pytest.mark.slow
def test_handing_in_after_a_crash_sends_what_the_dead_recorder_left(running: Stage, shell: Shell) -> None:
    shell.record(running.institution.link)
    shell.wait_until(lambda status: status.segments >= 3)
    pid = shell.child.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert shell.closed.wait(10)
    shell.respawn()
    shell.child.send(m.OpenLink(link=running.institution.link, program_token=shell.program_token))
    shell.wait_for(m.Joined)
    assert shell.finish().complete  # never asked to record again
    findings = running.findings()
    assert findings.verdict.chain == "intact", findings.verdict.faults
    assert findings.verdict.complete
    assert findings.recorded_seconds["camera"] > 3


@pytest.mark.slow
def test_after_a_fault_the_link_goes_on_with_the_exam(running: Stage, shell: Shell) -> None:
    first = shell.record(running.institution.link)
    shell.wait_until(lambda status: status.segments >= 3)
    assert shell.finish("fatal").complete
    assert shell.marks() == set()
    assert not running.examiner.get("sessions")["sessions"][0]["ended"]
    process = shell.child.process
    shell.child.channel.close()
    process.join(40)
    (folder, _) = next(unfinished(shell._options.home))
    mark_handed_in(folder)  # as if it had been: who goes on with it has not

    shell.program_token = secrets.token_bytes(32)  # the candidate opens the link again
    shell.respawn()
    again = shell.record(running.institution.link)
    assert again.session == first.session
    assert again.elapsed_ms > 0
    assert shell.marks() == set()
    assert shell.finish().complete
    assert shell.marks() == {HANDED_IN, FINISHED}
    findings = running.findings()
    assert findings.verdict.chain == "intact", findings.verdict.faults
    assert findings.verdict.complete
    assert {record.epoch for record in findings.verdict.records} == {0, 1}


@pytest.mark.slow
def test_what_was_handed_in_but_not_sent_is_marked(running: Stage, shell: Shell) -> None:
    shell.record(running.institution.link)
    shell.wait_until(lambda status: status.segments >= 3)
    running.kill_server()
    shell.wait_until(lambda status: not status.online and status.pending_bytes > 0)
    shell.child.send(m.Finish(reason="submit"))
    shell.wait_for(m.FlushProgress)  # it is sealed, and waits for the server
    pid = shell.child.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert shell.closed.wait(10)
    assert shell.marks() == {HANDED_IN}


@pytest.mark.slow
def test_a_shell_that_dies_while_it_unlocks_has_handed_in(running: Stage, shell: Shell) -> None:
    shell.record(running.institution.link)
    shell.wait_until(lambda status: status.segments >= 3)
    process = shell.child.process
    shell.child.send(m.StateIs(state=SessionState.UNLOCKING, why="time_up"))
    shell.child.channel.close()  # as a shell that died before it said ``Finish``
    process.join(40)
    assert shell.marks() == {HANDED_IN}
    ((folder, saved),) = unfinished(shell._options.home)
    assert is_over(folder, saved, SystemClock())
    assert send(folder, saved, SystemClock(), deadline_s=60)  # as the seat's sender does
    assert running.examiner.get("sessions")["sessions"][0]["ended"]

"""Breaks and tries of a quit code survive whatever ends the application, with its note or without."""

import json
import os
import secrets
import signal
from pathlib import Path

import pytest

from app import messages as m
from app.contract.agreement import Allowance
from app.contract.journal import EntryType
from app.contract.session import SessionState
from app.contract.wire import CONFIRMATION_LIMIT_MS
from app.demo.processes import Display, wait_until
from app.recorder.granting import ON_BREAK
from app.recorder.options import RecorderOptions
from app.recorder.spent import NOTE
from server.db import sqlite
from server.db.models import Session
from tests.e2e.stage import Stage, stage, write_camera, write_microphone
from tests.e2e.test_recorder_session import Shell


def _server_knows(running: Stage, session: str, tries: int) -> bool:
    database = sqlite.connect(running.folder / "server" / "fairlock.db")
    try:
        with database.read() as tx:
            row = tx.get_one(Session, session)
            return row.tries == tries and row.break_heard_ms is not None
    finally:
        database.close()


@pytest.mark.slow
def test_a_kill_gives_back_neither_breaks_nor_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        Display(tmp_path, headless=True) as display,
        stage(tmp_path, allowances=(Allowance.BREAKS,)) as running,
    ):
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
        shell = Shell(options)
        try:
            first = shell.record(running.institution.link)
            assert (first.breaks_ms, first.tries) == (0, 0)
            shell.child.send(m.CodesTried(number=3))
            shell.child.send(m.BreaksAre(spent_ms=20_000, lasting=True))
            shell.child.send(m.StateIs(state=SessionState.PAUSED, why=ON_BREAK))
            wait_until(
                lambda: _server_knows(running, first.session, 3),
                what="What the server was told",
                program=running.serving,
            )
            pid = shell.child.process.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert shell.closed.wait(10)

            (folder,) = (options.home / "sessions").iterdir()
            noted = json.loads((folder / NOTE).read_bytes())
            assert (noted["breaks_ms"], noted["tries"]) == (20_000, 3)
            assert noted["break_from_ms"] is not None
            (folder / NOTE).unlink()  # it makes no difference: the server was told

            shell.program_token = secrets.token_bytes(32)  # the candidate starts Fairlock again
            shell.respawn()
            again = shell.record(running.institution.link)
            assert again.session == first.session
            assert again.tries == 3
            assert again.breaks_ms > 20_000 + CONFIRMATION_LIMIT_MS, "the break went on while nothing ran"
            assert shell.finish().complete
        finally:
            shell.supervisor.stop(10)
        findings = running.findings()
    assert findings.verdict.chain == "intact", findings.verdict.faults
    said = [body for body in findings.bodies(EntryType.NOTE) if "quit_codes_tried_before_restart" in body]
    seconds = str(again.breaks_ms // 1000)
    assert said == [{"breaks_used_before_restart_s": seconds, "quit_codes_tried_before_restart": "3"}]

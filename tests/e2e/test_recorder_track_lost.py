"""A track that can't be recorded any more: the recorder leaves with its evidence sealed, and a new one goes on."""

from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

import pytest

from app import messages as m
from app.clock import SystemClock
from app.contract.incidents import IncidentKind
from app.contract.journal import EntryType
from app.demo.processes import Display
from app.recorder import encoders, process
from app.recorder.options import RecorderOptions
from app.supervisor import Child
from capture.encoder import AudioEncoder
from capture.fragments import Fragment
from capture.frames import AudioChunk
from tests.e2e.stage import stage, write_camera, write_microphone
from tests.e2e.test_recorder_session import Shell

WORKS_FOR_CHUNKS = 400


class Failing(AudioEncoder):
    """Works for eight seconds, and then never again."""

    def encode(self, item: AudioChunk) -> list[Fragment]:
        if item.seq >= WORKS_FOR_CHUNKS:
            raise RuntimeError("out of order")
        return super().encode(item)


def failing_recorder(connection: Connection, options: RecorderOptions) -> None:
    """Entry point of a recorder whose microphone fails."""
    with patch.object(encoders, "AudioEncoder", Failing):
        process.main(connection, options)


class FailingOnce(Shell):
    """Starts a recorder that fails, and from then on ones that do not; sees a program before it hears of that."""

    starts = 0

    def _spawn(self) -> Child:
        target = process.main if self.starts else failing_recorder
        self.starts += 1
        return self.supervisor.spawn(
            "recorder", target, self._options, on_message=self._take, on_closed=self.closed.set
        )

    def _take(self, message: object) -> None:
        super()._take(message)
        if isinstance(message, m.Leaving):
            now = SystemClock().now()
            self.child.send(m.Report(kind=IncidentKind.PROCESS_FOUND, start=now, end=now, source="guard"))
            self.child.send(m.MayLeave())


@pytest.mark.slow
def test_a_new_recorder_goes_on_in_the_next_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage(tmp_path) as running, Display(tmp_path, headless=True) as display:
        monkeypatch.setenv("DISPLAY", display.environment["DISPLAY"])
        monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        options = RecorderOptions(
            home=tmp_path / "home",
            sample_camera=write_camera(tmp_path / "camera.avi"),
            sample_microphone=write_microphone(tmp_path / "microphone.wav"),
            prefer_samples=True,
        )
        shell = FailingOnce(options)
        try:
            joined = shell.record(running.institution.link)
            assert shell.closed.wait(40), "the recorder stayed though a track was lost"
            assert list((tmp_path / "home").rglob("*.part")) == []
            shell.respawn()
            assert shell.record(running.institution.link).session == joined.session
            shell.wait_until(lambda status: status.segments >= 14)
            assert shell.finish().complete
        finally:
            shell.supervisor.stop(10)

        findings = running.findings()
        assert findings.verdict.chain == "intact", findings.verdict.faults
        assert findings.verdict.complete
        assert {record.epoch for record in findings.verdict.records} == {0, 1}
        assert all(record.complete for record in findings.verdict.records), "something was torn and not sealed"
        lost = [i for i in findings.incidents if i["kind"] == "component_restarted" and i["severity"] == "alert"]
        assert [incident["source"] for incident in lost] == ["microphone"]
        assert [i["source"] for i in findings.incidents if i["kind"] == "process_found"] == ["guard"]
        gaps = [body for body in findings.bodies(EntryType.GAP) if body["track"] == "microphone"]
        assert "encoding or sealing failed" in [body["reason"] for body in gaps]

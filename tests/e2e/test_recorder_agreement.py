"""A candidate with a screen reader and more time: from the institution's signature to what the examiner reads."""

import json
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from app import messages as m
from app.contract import schema
from app.contract.agreement import Agreement, Allowance
from app.contract.errors import UserFacing
from app.contract.incidents import IncidentKind
from app.contract.journal import EntryType
from app.contract.policy import Policy
from app.contract.sealing import keys
from app.contract.times import Instant
from app.demo.processes import Display
from app.recorder.options import RecorderOptions
from tests.e2e.stage import stage, write_camera, write_microphone
from tests.e2e.test_recorder_session import Shell

NOW = Instant(mono_ns=1, utc_ms=7)


def focus_taken_by(name: str) -> m.Report:
    facts = {"name": name, "path": f"/usr/bin/{name}"}
    return m.Report(kind=IncidentKind.FOCUS_LOST, start=NOW, end=NOW, source="guard.window_watch", facts=facts)


@pytest.mark.slow
def test_what_was_granted_reaches_the_candidate_and_the_examiner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = (Allowance.SCREEN_READER, Allowance.READING_ALOUD)
    with (
        Display(tmp_path, headless=True) as display,
        stage(tmp_path, allowances=granted, extra_time_permille=500) as running,
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
            joined = shell.record(running.institution.link)
            shell.child.send(focus_taken_by("orca"))
            shell.child.send(focus_taken_by("firefox"))
            assert shell.finish().complete
        finally:
            shell.supervisor.stop(10)
        findings = running.findings()
        roster = running.examiner.get("exams/demonstration/candidates")["candidates"]
        with pytest.raises(UserFacing, match="E-RECORD"):  # no agreement that the application would refuse is taken
            running.examiner.post("exams/demonstration/candidates", {"name": "Bob", "agreement": "a.b.c"})

    policy = schema.loads(Policy, joined.policy.encode())
    assert policy.duration_s == 360  # of 240
    assert not policy.detection.speech
    assert schema.loads(Agreement, joined.agreement.encode()).allowances == granted

    assert [row["agreement"] for row in roster] == [True]
    assert findings.verdict.complete
    assert findings.agreed == ("screen reader", "speaking aloud", "50\u00a0% more time")
    assert len(findings.bodies(EntryType.AGREEMENT)) == 1
    seen = {
        (incident["facts"]["name"], incident["severity"], incident["facts"].get("by_agreement"))
        for incident in findings.incidents
        if incident["kind"] == IncidentKind.FOCUS_LOST and isinstance(incident["facts"], dict)
    }
    assert seen == {("orca", "info", "screen reader"), ("firefox", "notice", None)}

    key, passphrase = tmp_path / "key.json", tmp_path / "passphrase"
    secret = secrets.token_urlsafe(9)
    passphrase.write_text(secret)
    key.write_bytes(schema.dumps(keys.protect(running.institution.examiner_key, secret)))
    command = [sys.executable, "-m", "app", "verify", str(tmp_path / "export.zip"), "--json"]
    opened = [f"--pin={running.institution.pin}", f"--key={key}", f"--passphrase-file={passphrase}"]
    said = subprocess.run([*command, *opened], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(said.stdout)["by_agreement"] == list(findings.agreed)
    sealed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(sealed.stdout)["by_agreement"] == [], "nobody without a key learns what was granted"

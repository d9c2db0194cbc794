"""The demonstration as a script runs it: the whole line on real parts, and what its report and export are worth."""

import json
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest

EXAM_S = 20
README = Path(__file__).parents[2] / "README.md"
KEYS = {"session", "state", "exit_code", "complete", "segments", "bytes", "gaps", "incidents", "server_incidents"}
KEYS |= {"closed_processes", "chain", "faults", "unopened", "recorded_seconds", "decrypted_seconds", "pictures"}
KEYS |= {"timings", "source", "models", "console", "lockdown", "by_agreement"}
REACHED = ("joining", "notice", "checking", "identifying", "locking", "running", "exam_loaded", "unlocking", "flushing")


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Run ``fairlock demo`` once; return the folder it left and its report."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "app", "demo", "--headless", "--seconds", str(EXAM_S), "--samples"]
    command += ["--report", str(folder / "report.json"), "--export", str(folder / "export")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, json.loads((folder / "report.json").read_text())


pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_the_evidence_is_whole(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, report = rehearsed
    assert report["state"] == "ended"
    assert report["chain"] == "intact"
    assert report["complete"] is True
    assert report["gaps"] == []
    for track in ("camera", "screen", "microphone"):
        assert report["segments"][track] >= 3
        assert report["decrypted_seconds"][track] >= EXAM_S - 2
        assert abs(report["decrypted_seconds"][track] - report["recorded_seconds"][track]) < 1
    assert report["segments"]["journal"] >= 1
    assert report["bytes"] > 100_000


def test_the_decoy_was_closed_and_said_so(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, report = rehearsed
    assert report["closed_processes"] == ["anydesk"]


def test_the_report_has_the_documented_keys(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, report = rehearsed
    assert set(report) == KEYS
    _, _, section = README.read_text(encoding="utf-8").partition("## The demonstration's report")
    section, _, _ = section.partition("\n## ")
    assert not {key for key in KEYS if f"`{key}`" not in section}


def test_the_states_were_passed_in_order(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, report = rehearsed
    timings = report["timings"]
    names = [f"exec_to_{name}_s" for name in REACHED]
    assert set(timings) == set(names)
    times = [timings[name] for name in names]
    assert times == sorted(times)
    assert times[0] > 0


def test_samples_and_models_are_called_by_their_names(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, report = rehearsed
    assert report["source"] == {
        "camera": "sample",
        "microphone": "sample",
        "screen": "device",
        "display": "virtual",
    }
    assert set(report["models"]) >= {"objects", "faces", "speech"}
    assert all("release" in name or "demonstration" in name for name in report["models"].values())


def test_how_the_computer_was_locked_is_in_the_evidence(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, report = rehearsed
    lock = report["lockdown"]
    assert (lock["tier"], lock["platform"], lock["doubts"]) == ("B", "linux-x11", [])
    assert {"kiosk", "process_watch", "clipboard_guard"} <= set(lock["holding"])
    assert not set(lock["holding"]) & set(lock["missing"])
    assert all(lock["missing"].values())


def test_something_was_detected_on_the_device(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, report = rehearsed
    kinds = {incident["kind"] for incident in report["incidents"]}
    assert kinds & {"phone", "second_person", "absent", "speech"}, report["incidents"]
    assert report["pictures"] >= 1
    for incident in report["incidents"]:
        assert {"kind", "severity", "from", "to", "facts"} <= set(incident)


def _verify(export: Path, folder: Path) -> int:
    command = [sys.executable, "-m", "app", "verify", str(export), f"--pin={(folder / 'export/pin').read_text()}"]
    command += ["--key", str(folder / "export/examiner-key.json")]
    command += ["--passphrase-file", str(folder / "export/passphrase")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).returncode


def test_the_export_verifies_without_the_server(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = rehearsed
    assert _verify(folder / "export/export.zip", folder) == 0


def test_one_flipped_bit_does_not_verify(rehearsed: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = rehearsed
    with zipfile.ZipFile(folder / "export/export.zip") as archive:
        archive.extractall(tmp_path / "e")
    segment = sorted((tmp_path / "e/segments").glob("*camera*"))[1]
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(bytes(data))
    assert _verify(tmp_path / "e", folder) != 0


def test_a_demonstration_told_to_end_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "demo", "--headless", "--seconds", "60", "--samples", "--keep"]
    with subprocess.Popen([*command, str(tmp_path)], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert any("Starting the exam application" in line for line in demo.stdout)
        started = _once_the_application_runs(psutil.Process(demo.pid))
        demo.terminate()
        assert demo.wait(60) == 128 + signal.SIGTERM
    _, alive = psutil.wait_procs(started, timeout=30)
    assert not alive


def _once_the_application_runs(demo: psutil.Process) -> list[psutil.Process]:
    """Return every process of a demonstration: server, exam site, display, decoy, application at least."""
    while demo.is_running():
        below = demo.children(recursive=True)
        if any("open" in _words(process) for process in below):
            assert len(below) >= 5
            return below
        time.sleep(0.05)
    raise AssertionError("the demonstration ended before the application was started")


def _words(process: psutil.Process) -> list[str]:
    """Return the command of a process, none of one that has ended meanwhile."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []

"""The whole client in a rehearsed exam: time to the exam page, and CPU and memory of each process.

CPU is of one core, between the exam's page being loaded and the end; memory is the proportional set size summed
over a process and its helpers (QtWebEngine's renderers belong to the shell).
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.bench.table import Row

EXAM_S = 60
SAMPLE_S = 1.0


def run() -> list[Row]:
    """Run the headless demo once and watch the application's processes."""
    with tempfile.TemporaryDirectory() as folder:
        report_file = Path(folder) / "report.json"
        command = [sys.executable, "-m", "app", "demo", "--headless", "--seconds", str(EXAM_S), "--report"]
        demo = subprocess.Popen([*command, str(report_file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        usage = _Usage(demo.pid)
        watcher = threading.Thread(target=usage.watch, name="usage")
        watcher.start()
        code = demo.wait(600)
        watcher.join()
        if not report_file.exists():
            return [Row(name="client: demo failed", value=code, unit="exit code", peer=None, ratio=None, goal="0")]
        report = json.loads(report_file.read_text())
    timings = report["timings"]
    rows = [
        _row("exec to notice", timings.get("exec_to_notice_s", -1), "s"),
        _row("exec to exam page loaded, rehearsal's pauses included", timings.get("exec_to_exam_loaded_s", -1), "s"),
    ]
    for name in ("shell", "recorder", "guard"):
        rows.append(_row(f"client {name}: CPU of one core", usage.cpu(name) * 100, "%"))
        rows.append(_row(f"client {name}: memory (PSS, peak)", usage.peak_mib.get(name, 0), "MiB"))
    whole = sum(usage.cpu(name) for name in ("shell", "recorder", "guard"))
    return [*rows, _row("client whole: CPU of one core", whole * 100, "%")]


def _row(name: str, value: float, unit: str) -> Row:
    return Row(name=name, value=round(value, 2), unit=unit, peer=None, ratio=None, goal="")


class _Usage:
    """CPU seconds and peak memory by part, sampled from outside."""

    def __init__(self, demo_pid: int) -> None:
        self._demo = psutil.Process(demo_pid)
        self._first: dict[int, float] = {}
        self._last: dict[int, tuple[str, float]] = {}
        self._began = self._ended = 0.0
        self.peak_mib: dict[str, float] = {}

    def cpu(self, name: str) -> float:
        """Return CPU seconds per second of a part, over the time it was watched."""
        spent = sum(last - self._first[pid] for pid, (part, last) in self._last.items() if part == name)
        return spent / max(0.001, self._ended - self._began)

    def watch(self) -> None:
        """Sample until the demo is gone."""
        while self._demo.is_running() and self._demo.status() != psutil.STATUS_ZOMBIE:
            memory: dict[str, float] = {}
            for part, process in self._parts():
                try:
                    times = process.cpu_times()
                    memory[part] = memory.get(part, 0.0) + process.memory_full_info().pss / 2**20
                except psutil.Error:
                    continue
                total = times.user + times.system
                self._began = self._began or time.monotonic()
                self._first.setdefault(process.pid, total)
                self._last[process.pid] = (part, total)
                self._ended = time.monotonic()
            for part, mib in memory.items():
                self.peak_mib[part] = max(mib, self.peak_mib.get(part, 0.0))
            time.sleep(SAMPLE_S)

    def _parts(self) -> Iterator[tuple[str, psutil.Process]]:
        try:
            for child in self._demo.children():
                if "open" in child.cmdline()[:5]:
                    yield from self._application(child)
        except psutil.Error:
            return

    def _application(self, shell: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
        yield "shell", shell
        for child in shell.children():
            part = _part(child)
            yield part, child
            for below in child.children(recursive=True):
                yield part, below


def _part(process: psutil.Process) -> str:
    """Tell the spawned processes apart by what they have loaded: only the recorder loads OpenCV."""
    if "spawn_main" not in " ".join(process.cmdline()):
        return "shell"
    return "recorder" if any("cv2" in mapped.path for mapped in process.memory_maps()) else "guard"

"""The whole client in a rehearsed exam: time to the exam page, and CPU and memory of each process. Linux only.

CPU is of one core, from the exam's page being loaded to the end of the exam, as the demonstration's report tells the
two; memory is the largest proportional set size in that time. Both are summed over a process and its helpers
(QtWebEngine's renderers belong to the shell).
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.bench.table import Row

EXAM_S = 60
SAMPLE_S = 1.0
STARTED = "Starting the exam application"  # what the demonstration says right before it does
PARTS = ("shell", "recorder", "guard")


class BenchFailed(Exception):
    """There is nothing to report: the demonstration failed, or did not say what has to be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One process at one moment. ``root`` is the process of ours that it belongs to; CPU in seconds since its start."""

    root: int
    cpu_s: float
    memory_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Every process of the application by process id, at ``at_s`` seconds (wall clock)."""

    at_s: float
    processes: Mapping[int, Reading]


def run() -> list[Row]:
    """Run the headless demo once and watch the application's processes; raises ``BenchFailed``."""
    watch = Watch()
    timings, started_s = _demonstrate(watch)
    loaded, ended = _timing(timings, "exec_to_exam_loaded_s"), _timing(timings, "exec_to_unlocking_s")
    samples = [sample for sample in watch.samples if loaded <= sample.at_s - started_s <= ended]
    if len(samples) < EXAM_S / SAMPLE_S / 2:
        raise BenchFailed(f"only {len(samples)} samples were taken in an exam of {EXAM_S} s")
    part_of = watch.parts()
    rows = [
        _row("exec to notice", _timing(timings, "exec_to_notice_s"), "s"),
        _row("exec to exam page loaded, rehearsal's pauses included", loaded, "s"),
    ]
    for part in PARTS:
        roots = {pid for pid, name in part_of.items() if name == part}
        rows.append(_row(f"client {part}: CPU of one core", _cpu(samples, roots) * 100, "%"))
        rows.append(_row(f"client {part}: memory (PSS, peak)", _peak_mib(samples, roots), "MiB"))
    return [*rows, _row("client whole: CPU of one core", _cpu(samples, set(part_of)) * 100, "%")]


def _demonstrate(watch: "Watch") -> tuple[Mapping[str, Any], float]:
    """Run the demonstration; return its report's timings and when (wall clock, seconds) the application started."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "app", "demo", "--headless", "--samples", "--seconds", str(EXAM_S), "--report"]
        started_s, last = None, deque[str](maxlen=15)
        with subprocess.Popen(
            [*command, str(report)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as demo:
            watcher = threading.Thread(target=watch.run, args=(psutil.Process(demo.pid),), name="bench-watch")
            watcher.start()
            assert demo.stdout is not None
            for line in demo.stdout:
                last.append(line)
                if STARTED in line:
                    started_s = time.time()
            code = demo.wait()
            watcher.join()
        if code != 0 or started_s is None or not report.exists():
            raise BenchFailed(f"the demonstration ended with code {code}:\n{''.join(last)}")
        return json.loads(report.read_text())["timings"], started_s


def _timing(timings: Mapping[str, Any], name: str) -> float:
    if name not in timings:
        raise BenchFailed(f"the demonstration's report has no {name}, only {sorted(timings)}")
    return float(timings[name])


def _row(name: str, value: float, unit: str) -> Row:
    return Row(name=name, value=round(value, 2), unit=unit, peer=None, ratio=None, goal="")


def _cpu(samples: list[Sample], roots: set[int]) -> float:
    """Return CPU seconds per second; what a process used before the first sample does not count."""
    first, spent = samples[0].processes, dict[int, float]()
    for sample in samples:
        for pid, reading in sample.processes.items():
            if reading.root in roots:
                spent[pid] = reading.cpu_s - (first[pid].cpu_s if pid in first else 0.0)
    return sum(spent.values()) / (samples[-1].at_s - samples[0].at_s)


def _peak_mib(samples: list[Sample], roots: set[int]) -> float:
    return max(sum(r.memory_mib for r in sample.processes.values() if r.root in roots) for sample in samples)


class Watch:
    """Samples of the application below a demonstration, taken from outside by one thread."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._shells: set[int] = set()
        self._records: dict[int, bool] = {}

    def run(self, demo: psutil.Process) -> None:
        """Sample until the demonstration has ended."""
        while demo.is_running() and demo.status() != psutil.STATUS_ZOMBIE:
            at_s = time.time()
            if processes := {process.pid: reading for process, reading in self._readings(demo)}:
                self.samples.append(Sample(at_s=at_s, processes=processes))
            time.sleep(SAMPLE_S)

    def parts(self) -> Mapping[int, str]:
        """Return which process was which part; known once all have run for a while."""
        parts = {pid: "recorder" if records else "guard" for pid, records in self._records.items()}
        parts |= dict.fromkeys(self._shells, "shell")
        if sorted(parts.values()) != sorted(PARTS):
            raise BenchFailed(f"one shell, recorder and guard were expected, not {sorted(parts.values())}")
        return parts

    def _readings(self, demo: psutil.Process) -> Iterator[tuple[psutil.Process, Reading]]:
        for root, process in self._processes(demo):
            try:
                times, memory = process.cpu_times(), process.memory_full_info()
            except psutil.Error:  # it has just ended
                continue
            yield process, Reading(root=root, cpu_s=times.user + times.system, memory_mib=memory.pss / 2**20)

    def _processes(self, demo: psutil.Process) -> Iterator[tuple[int, psutil.Process]]:
        """Yield the shell with its helpers, and the processes it spawned with theirs, each with its root's id."""
        for shell in demo.children():
            try:
                if "open" in shell.cmdline()[:5]:
                    self._shells.add(shell.pid)
                    yield from self._application(shell)
            except psutil.Error:  # the decoy that was closed, or a process that has just ended
                continue

    def _application(self, shell: psutil.Process) -> Iterator[tuple[int, psutil.Process]]:
        yield shell.pid, shell
        for child in shell.children():
            root = child.pid if self._is_spawned(child) else shell.pid
            yield root, child
            yield from ((root, below) for below in child.children(recursive=True))

    def _is_spawned(self, process: psutil.Process) -> bool:
        """Whether it is a process of ours, and note whether it records: of those two, only the recorder has OpenCV."""
        if "spawn_main" not in " ".join(process.cmdline()):
            return False
        if not self._records.get(process.pid):
            self._records[process.pid] = any("cv2" in mapped.path for mapped in process.memory_maps())
        return True

"""One exam of a trial: the shell and all its processes as programs of their own, their steps, and how to kill them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.faults.machine import Machine
from tests.xserver import Desktop

ROOT = Path(__file__).parents[2]
POLL_S = 0.005
PATIENCE_S = 60.0


class Exam:
    """A running exam on ``machine``. ``pids`` are those of the beginning: shell, recorder, guard, last hand."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", machine: Machine, output: Path, page_is_shown: Callable[[], bool]
    ) -> None:
        self.process = process
        self.machine = machine
        self.page_is_shown = page_is_shown
        self._output = output.open()
        self._log = ""
        self.pids: Mapping[str, int] = {}
        self._spawned_processes: tuple[int, ...] = ()

    def reach(self, step: str) -> None:
        """Wait until ``step`` of ``STEPS`` has been reached; raises ``TimeoutError`` if it never is."""
        wait(lambda: STEPS[step](self) or self._is_over(), step)
        if not STEPS[step](self):
            raise TimeoutError(f"the exam ended before: {step}\n{self.log()[-2000:]}")

    def log(self) -> str:
        """Return what the processes wrote."""
        self._log += self._output.read()
        return self._log

    def went(self, state: str) -> bool:
        """Whether the session was in ``state``."""
        return f"-> {state}\n" in self.log()

    def know_processes(self) -> None:
        """Find out who is who, before anything happens."""
        wait(lambda: self._is_over() or self._has_all_processes(), "the processes")
        if self._is_over():
            raise TimeoutError(f"the exam ended at its start\n{self.log()[-2000:]}")
        recorder, guard, hand = self._spawned_processes
        self.pids = {"shell": self.process.pid, "recorder": recorder, "guard": guard, "last hand": hand}

    def kill(self, victims: Sequence[str]) -> float:
        """Kill ``victims`` one right after the other; return when the first one was."""
        began = time.monotonic()
        for name in victims:
            with suppress(ProcessLookupError):
                os.kill(self.pids[name], signal.SIGKILL)
        return began

    def senders(self) -> frozenset[int]:
        """Return the recorder, and what Python keeps alive beside it."""
        tracker = {pid for pid, command in self.machine.processes().items() if "resource_tracker" in command}
        return frozenset({self.pids["recorder"], *tracker})

    def ask_to_end(self) -> None:
        """Do as a log-out does: the exam ends in order."""
        self.process.terminate()

    def close(self) -> None:
        """Read no more."""
        self._output.close()

    def _is_over(self) -> bool:
        return self.process.poll() is not None or self.went("ended")

    def _has_all_processes(self) -> bool:
        """Whether each is there, and alone: what a watch runs looks like its parent until it is another program."""
        children = _spawned(self.process.pid)
        hands = _spawned(children[-1]) if len(children) == 2 else []
        self._spawned_processes = (*children, *hands)
        return len(self._spawned_processes) == 3 and len(hands) == 1


@contextmanager
def exam(
    desktop: Desktop, machine: Machine, options: Mapping[str, str], page_is_shown: Callable[[], bool]
) -> Iterator[Exam]:
    """Run an exam that presses its own buttons; whatever is left of it is killed at the end of the block."""
    machine.home.mkdir(parents=True)
    file, output = machine.home / "options.json", machine.home / "output"
    file.write_text(json.dumps(dict(options)))
    inherited = {name: value for name, value in desktop.environment.items() if not name.startswith("QT")}
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.runner", str(file)],
            cwd=ROOT,
            env={**inherited, "FAIRLOCK_HOME": str(machine.home)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    running = Exam(process, machine, output, page_is_shown)
    try:
        yield running
    finally:
        running.close()
        process.kill()
        process.wait()
        for pid in machine.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def wait(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> float:
    """Wait until ``condition`` holds and return when it first did; raises ``TimeoutError``."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience_s:g} s in vain for {what}")
        time.sleep(POLL_S)
    return time.monotonic()


def _spawned(pid: int) -> list[int]:
    """Return the processes of ours that ``pid`` started, in order; Qt's helpers and Python's tracker are none."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children():
            with suppress(psutil.NoSuchProcess):
                if "--multiprocessing-fork" in child.cmdline():
                    found.append(child.pid)
    return sorted(found)


STEPS: Mapping[str, Callable[[Exam], bool]] = {
    "locking begins": lambda exam: exam.went("locking"),
    "first undo on file": lambda exam: (exam.machine.home / "data" / "restore.json").exists(),
    "key map changed": lambda exam: exam.machine.is_changed(),
    "screen saver off": lambda exam: exam.machine.saver_is_off(),
    "exam opens": lambda exam: exam.went("running"),
    "page shown": lambda exam: exam.went("running") and exam.page_is_shown(),
    "unlocking begins": lambda exam: exam.went("unlocking"),
    "first change undone": lambda exam: exam.went("unlocking") and not exam.machine.saver_is_off(),
    "restore file empty": lambda exam: (
        exam.went("unlocking") and not (exam.machine.home / "data" / "restore.json").exists()
    ),
    "sending begins": lambda exam: exam.went("flushing"),
}
"""In their order; each is seen from outside, in the log, in the restore file or on the desktop."""
LOCKING = ("locking begins", "first undo on file", "key map changed", "screen saver off", "exam opens", "page shown")
UNLOCKING = ("unlocking begins", "first change undone", "restore file empty", "sending begins")

"""A real guard process with a stand-in for its shell, and programs for it to find. Used by the guard's tests."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from app.channel import decode, encode
from app.contract import schema
from app.contract.incidents import IncidentKind
from app.contract.policy import POLICY_VERSION, Browser, Lockdown, Policy, Recipient, Server, Treatment
from app.messages import (
    Report,
    Seen,
)
from lockdown import select
from lockdown.rule_lists import builtin_rules
from tests.xserver import DEADLINE_S, Desktop, end, wait_for, x11_desktop

ROOT = Path(__file__).parents[2]
M = TypeVar("M")

# A name of the built-in list that nothing else on a machine which runs tests is likely to have.
DECOY = "krdc"
on_linux = pytest.mark.skipif(select.system() != "linux", reason="nothing to lose: only on Linux")


def guard_policy(*prohibit: str, grace_ms: int = 1_000, unknown: Treatment = Treatment.IGNORE) -> str:
    """A policy that permits every built-in name but the decoy's: the tests must not close a developer's browser."""
    builtin = builtin_rules(select.system()).names
    policy = Policy(
        version=POLICY_VERSION,
        exam="exam",
        title="Exam",
        institution="School",
        issued_ms=0,
        expires_ms=1,
        server=Server(url="http://127.0.0.1:1", token_key=b"k", receipt_key=bytes(32)),
        browser=Browser(
            start_url="http://127.0.0.1:1/", allow=("http://127.0.0.1:1",), submit_url="http://127.0.0.1:1/s"
        ),
        lockdown=Lockdown(
            prohibit=prohibit,
            permit=tuple(sorted(builtin - {DECOY})),
            close_grace_ms=grace_ms,
            unknown_programs=unknown,
        ),
        recipients=(Recipient(id="x" * 43, name="Examiner", key=bytes(65)),),
    )
    return schema.dumps(policy).decode()


class Shell:
    """The stand-in for the shell, as a process, and what its guard said."""

    def __init__(self, restore_file: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("guard_shell.py")), str(restore_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**environment, "PYTHONPATH": str(ROOT)},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, name="shell-output")
        self._reader.start()
        wait_for(self._started, "the guard's start")
        self.guard = psutil.Process(int(self._started()[0].split()[1]))

    def _started(self) -> list[str]:
        """The line that names the guard; its own first words may come before it."""
        return [line for line in self.lines if line.startswith("guard ")]

    def send(self, message: object) -> None:
        """Send an order to the guard."""
        assert self.process.stdin is not None
        self.process.stdin.write(encode(message) + b"\n")
        self.process.stdin.flush()

    def messages(self, cls: type[M]) -> list[M]:
        """Return what the guard sent of one type."""
        decoded = [decode(line.encode()) for line in self.lines if line.startswith("{")]
        return [message for message in decoded if isinstance(message, cls)]

    def answer(self, cls: type[M], order: object) -> M:
        """Send ``order`` and return the next message of type ``cls``."""
        before = len(self.messages(cls))
        self.send(order)
        wait_for(lambda: len(self.messages(cls)) > before, cls.__name__)
        return self.messages(cls)[before]

    def reports(self, kind: IncidentKind) -> list[Report]:
        """Return the incidents of one kind that the guard saw."""
        return [seen.report for seen in self.messages(Seen) if seen.report.kind is kind]

    def last_hands(self) -> list[psutil.Process]:
        """Return what stands by to undo; a watch may just be running some other program."""
        return [child for child in self.guard.children() if "--multiprocessing-fork" in _words(child)]

    def close(self) -> None:
        """End it without its will, and its guard if it is still there."""
        end_of_input = self.process.stdin
        if end_of_input is not None and self.process.poll() is None:
            end_of_input.close()
            self.process.wait(DEADLINE_S)
        end(self.process)
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.decode().strip())


def decoy_programs(tmp_path: Path) -> "Iterator[Callable[[str], subprocess.Popen[bytes]]]":
    """Starts copies of ``sleep`` under other names."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> "subprocess.Popen[bytes]":
        path = tmp_path / name
        shutil.copy2("/bin/sleep", path)
        started.append(subprocess.Popen([path, "120"]))
        return started[-1]

    yield start
    for process in started:
        end(process)


@contextmanager
def running_shell(restore_file: Path, environment: dict[str, str]) -> Iterator[Shell]:
    shell = Shell(restore_file, environment)
    try:
        yield shell
    finally:
        shell.close()


def no_desktop() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}


def headless_shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell and its guard without a desktop."""
    with running_shell(tmp_path / "restore.json", no_desktop()) as shell:
        yield shell


def one_desktop() -> Iterator[Desktop]:
    """A desktop for all tests of a module."""
    with x11_desktop() as desktop:
        yield desktop


def _words(process: psutil.Process) -> list[str]:
    """Return the command of a process, none of one that has ended meanwhile."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []

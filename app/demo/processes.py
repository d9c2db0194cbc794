"""The other programs of a demonstration: server, exam site, display, window manager, decoy. Ended by handle, always."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from app.contract.errors import UserFacing

SERVER_COMMAND_VARIABLE = "FAIRLOCK_SERVER_COMMAND"


def outside_environment() -> dict[str, str]:
    """Return the environment without what a frozen program set for itself, which would break other programs."""
    environment = dict(os.environ)
    if getattr(sys, "frozen", False):
        for name in ("LD_LIBRARY_PATH", "QML2_IMPORT_PATH", "QT_PLUGIN_PATH", "QTWEBENGINEPROCESS_PATH"):
            environment.pop(name, None)
        original = environment.pop("LD_LIBRARY_PATH_ORIG", "")
        if original:
            environment["LD_LIBRARY_PATH"] = original
    return environment


class Program:
    """A child process with its output in a log file; leaving the context ends it."""

    def __init__(
        self, name: str, command: Sequence[str | Path], log: Path, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        self._file = log.open("ab")
        try:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=self._file,
                stderr=subprocess.STDOUT,
                env=dict(environment) if environment is not None else outside_environment(),
                start_new_session=True,  # a Ctrl-C at the terminal is ours to hand on, in order
            )
        except OSError as error:
            self._file.close()
            raise UserFacing(f"{name} could not be started ({error}).", advice="See the README's set-up.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait(self, timeout_s: float) -> int | None:
        """Return the exit code, or ``None`` after ``timeout_s`` seconds."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self, patience_s: float = 5.0) -> None:
        """Ask it to end, wait, then insist."""
        if self.running():
            self._process.send_signal(signal.SIGTERM)
            if self.wait(patience_s) is None:
                self._process.kill()
                self._process.wait()
        self._file.close()

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the log, for messages."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def free_port() -> int:
    """Return a port that is free on 127.0.0.1 right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], *, what: str, program: Program, timeout_s: float = 30.0) -> None:
    """Wait for ``condition``; raises ``UserFacing`` with the program's last words when it ends or takes too long."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if not program.running() or time.monotonic() > deadline:
            raise UserFacing(f"{what} did not come up.\n{program.tail()}", advice=f"The whole log is {program.log}.")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether something answers HTTP at ``url``."""
    try:
        requests.get(url, timeout=2, allow_redirects=False)
    except requests.RequestException:
        return False
    return True


def server_command() -> list[str]:
    """Return the command that runs the server; a frozen client is told by ``FAIRLOCK_SERVER_COMMAND``."""
    named = os.environ.get(SERVER_COMMAND_VARIABLE)
    if named:
        return named.split("\n")
    if getattr(sys, "frozen", False):
        raise UserFacing(
            "The packaged application holds no server.",
            advice=f"Set {SERVER_COMMAND_VARIABLE} to the command that runs one, one word a line.",
        )
    return [sys.executable, "-m", "server"]


def client_command() -> list[str]:
    """Return the command that runs this very application."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]


class Display:
    """The real display, or an Xvfb with a window manager where there is none."""

    def __init__(self, logs: Path, *, headless: bool, size: str = "1280x800") -> None:
        self.environment = outside_environment()
        self.kind = "device"
        self._programs: list[Program] = []
        if headless or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            self._start(logs, size)

    def _start(self, logs: Path, size: str) -> None:
        if shutil.which("Xvfb") is None:
            raise UserFacing("There is no display, and Xvfb is not installed.", advice="apt-get install xvfb openbox")
        self.kind = "virtual"
        read, write = os.pipe()
        try:
            xvfb = _XvfbProgram(logs / "xvfb.log", size, write)
        finally:
            os.close(write)
        self._programs.append(xvfb)
        with os.fdopen(read) as numbers:
            number = numbers.readline().strip()
        if not number:
            raise UserFacing(f"Xvfb did not start.\n{xvfb.tail()}", advice="Check that /tmp/.X11-unix is writable.")
        self.environment["DISPLAY"] = f":{number}"
        for elsewhere in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):  # the application belongs on this display
            self.environment.pop(elsewhere, None)
        self.environment["XDG_SESSION_TYPE"] = "x11"
        if shutil.which("openbox"):
            self._programs.append(Program("openbox", ["openbox"], logs / "openbox.log", environment=self.environment))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for program in reversed(self._programs):
            program.stop()


class _XvfbProgram(Program):
    """Xvfb, told to pick a free display number and to write it down a pipe."""

    def __init__(self, log: Path, size: str, number_pipe: int) -> None:
        self.name = "Xvfb"
        self.log = log
        self._file = log.open("ab")
        self._process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(number_pipe), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            pass_fds=(number_pipe,),
            start_new_session=True,
        )


DECOY = "anydesk"


def start_decoy(folder: Path, logs: Path) -> Program:
    """Start a harmless program under a prohibited name: a copy of ``sleep``."""
    sleep = shutil.which("sleep")
    if sleep is None:
        raise UserFacing("The program sleep is missing.", advice="apt-get install coreutils")
    decoy = folder / DECOY
    shutil.copy(Path(sleep).resolve(), decoy)
    return Program("decoy", [decoy, "600"], logs / "decoy.log")

"""Runs other programs, each with a clean environment, a time limit and no shell. The only place that does.

A frozen application hands its own ``LD_LIBRARY_PATH`` down, which breaks the system's tools, and a student's ``PATH``
could name another ``setxkbmap``, which only claims to hold the keys: so only named variables pass, and only folders of
the system are searched.
"""

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.contract.errors import Unsupported

SYSTEM_FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/run/current-system/sw/bin")
PASSED_ON = (
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "LANG",
    "LOGNAME",
    "SYSTEMROOT",
    "TMPDIR",
    "USER",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CURRENT_DESKTOP",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
)

END_S = 2.0
ENDING_S = 0.5
_WORD = b"here\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a program ended: its exit status and what it wrote."""

    status: int
    output: str
    errors: str


def find_program(name: str) -> str | None:
    """Return the path of the program ``name``, or ``None``."""
    return shutil.which(name, path=_search_path())


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment that other programs get: ``PASSED_ON``, a safe ``PATH``, and ``extra``."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**kept, "PATH": _search_path(), **(extra or {})}


def run_external(
    command: Sequence[str],
    *,
    timeout_s: float = 5.0,
    text: str = "",
    extra: Mapping[str, str] | None = None,
    keeps: Sequence[int] = (),
) -> Completed:
    """Run ``command`` to its end with ``text`` on its standard input, and return how it ended.

    ``keeps`` are descriptors of files that stay open until it ends, even if this process is killed (not on Windows).

    Raises ``Unsupported`` when the program is not installed, cannot be started or does not end in ``timeout_s``
    seconds (it is killed then). A non-zero exit status is not an error here.
    """
    program = find_program(command[0])
    if program is None:
        raise Unsupported(f"The program {command[0]} is missing.", advice="Install it.", code="E-PROGRAM-MISSING")
    try:
        done = subprocess.run(
            [program, *command[1:]],
            input=text.encode(),
            capture_output=True,
            env=clean_environment(extra),
            timeout=timeout_s,
            pass_fds=tuple(keeps) if os.name == "posix" else (),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unsupported(
            f"The program {command[0]} did not work ({error}).", advice="Check that it runs.", code="E-PROGRAM-FAILED"
        ) from error
    return Completed(
        status=done.returncode, output=done.stdout.decode(errors="replace"), errors=done.stderr.decode(errors="replace")
    )


class Held:
    """A program that runs until it is ended, or until this process is gone, whose pipe it reads."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @property
    def is_running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Close its pipe and wait until it has ended; kill it if it does not. Idempotent."""
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=END_S)
        if self.is_running:
            self._process.kill()
            self._process.communicate()


def hold_external(command: Sequence[str], *, timeout_s: float = 5.0) -> Held:
    """Start ``command``, which ends with ``cat`` or the like, and return it when it echoes what it was told.

    Raises ``Unsupported`` with what it said when it is not installed, ends at once, or is silent for ``timeout_s``
    seconds.
    """
    program = find_program(command[0])
    if program is None:
        raise Unsupported(f"The program {command[0]} is missing.", advice="Install it.", code="E-PROGRAM-MISSING")
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            [program, *command[1:]], stdin=pipe, stdout=pipe, stderr=pipe, env=clean_environment()
        )
    except OSError as error:
        raise Unsupported(
            f"The program {command[0]} did not start ({error}).", advice="Check that it runs.", code="E-PROGRAM-FAILED"
        ) from error
    held = Held(process)
    if _echoes(process, timeout_s):
        return held
    # One that gave up closes its output a moment before it is gone; what it said can be read to the end only then.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(ENDING_S)
    said = b"" if process.poll() is None or process.stderr is None else process.stderr.read()
    held.end()
    lines = said.decode(errors="replace").strip().splitlines() or ["it did not answer"]
    raise Unsupported(
        f"The program {command[0]} did not work ({lines[-1].rstrip('.')}).",
        advice="Check that it runs.",
        code="E-PROGRAM-FAILED",
    )


def _echoes(process: "subprocess.Popen[bytes]", timeout_s: float) -> bool:
    """Whether ``process`` sends back a line that it is given."""
    if process.stdin is None or process.stdout is None:
        return False
    heard: list[bytes] = []
    listener = threading.Thread(target=lambda out: heard.append(out.readline()), args=(process.stdout,), daemon=True)
    try:
        process.stdin.write(_WORD)
        process.stdin.flush()
    except OSError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout_s)
        return False
    listener.start()
    listener.join(timeout_s)
    if listener.is_alive():
        process.kill()
        listener.join()
    return heard == [_WORD]


def _search_path() -> str:
    return os.pathsep.join(SYSTEM_FOLDERS) if os.name == "posix" else os.environ.get("PATH", os.defpath)

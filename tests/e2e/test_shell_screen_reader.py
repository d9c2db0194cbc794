"""Every screen over the real accessibility bus, as a screen reader sees it: names, roles, focus, what is announced."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from app.shell import text
from tests.xserver import end, x11_desktop

READER = Path(__file__).with_name("atspi_reader.py")
SYSTEM_PYTHON = Path("/usr/bin/python3")
DEADLINE_S = 60.0


class Lines:
    """A program that is spoken to in lines."""

    def __init__(self, command: Callable[[int], list[str]], environment: dict[str, str]) -> None:
        """Start ``command``, which is told the file descriptor to answer on: others may write to its stdout."""
        answers, ours = os.pipe()
        self.process = subprocess.Popen(
            command(ours),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(ours,),
        )
        os.close(ours)
        assert self.process.stdin is not None
        self._in: IO[bytes] = self.process.stdin
        self._out: IO[bytes] = os.fdopen(answers, "rb")

    def say(self, line: str) -> None:
        self._in.write(f"{line}\n".encode())
        self._in.flush()

    def hear(self) -> str:
        line = self._out.readline()
        assert line, "the program ended"
        return line.decode().strip()

    def end(self) -> None:
        end(self.process)
        self._out.close()

    def hear_until(self, wanted: str) -> None:
        while self.hear() != wanted:
            pass


class ScreenReader(Lines):
    """``atspi_reader`` at work."""

    def ask(self, command: str) -> Any:
        self.say(command)
        return json.loads(self.hear())

    def showing(self) -> list[dict[str, Any]]:
        return [one for one in self.ask("tree") if one["showing"]]

    def named(self, name: str) -> dict[str, Any]:
        """Return the object of that name, as soon as it is shown."""
        found: dict[str, Any] = until(
            lambda: next((one for one in self.showing() if one["name"] == name), None), f"to see {name!r}"
        )
        return found

    def heard(self, words: str) -> None:
        """Wait until something with ``words`` was announced."""
        until(lambda: any(words in line for line in self.ask("heard")), f"to hear {words!r}")

    def press(self, name: str) -> None:
        until(lambda: self.ask(f"press {name}") is True, f"to press {name!r}")


def until(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited in vain {what}"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def reader_and_shell() -> Iterator[tuple[ScreenReader, Lines]]:
    """A desktop with a screen reader, and the application on it."""
    if shutil.which("dbus-run-session") is None or not SYSTEM_PYTHON.exists():
        pytest.skip("dbus-run-session is not installed")
    if subprocess.run([SYSTEM_PYTHON, "-c", "import pyatspi"], capture_output=True, check=False).returncode != 0:
        pytest.skip("pyatspi is not installed")
    with x11_desktop() as desktop:
        reader = ScreenReader(
            lambda answers: ["dbus-run-session", "--", str(SYSTEM_PYTHON), str(READER), str(answers)],
            desktop.environment,
        )
        try:
            bus = json.loads(reader.hear())
            environment = {**desktop.environment, "DBUS_SESSION_BUS_ADDRESS": bus, "PYTHONPATH": str(Path.cwd())}
            shell = Lines(
                lambda answers: [sys.executable, "-m", "tests.e2e.accessible_shell", str(answers)], environment
            )
            try:
                yield reader, shell
            finally:
                shell.end()
        finally:
            reader.end()


def test_a_session_is_taken_by_screen_reader_alone(reader_and_shell: tuple[ScreenReader, Lines]) -> None:
    reader, shell = reader_and_shell

    shell.say("notice")
    shell.hear_until("did notice")
    assert reader.named(text.NOTICE_YES)["role"] == "push button"
    assert "camera" in reader.named("What is recorded")["description"]
    assert "screen reader" in reader.named(text.AGREED_HEADING)["description"].lower()
    reader.heard(text.NOTICE_TITLE)
    for one in reader.showing():
        assert one["name"] or not one["focusable"], f"a {one['role']} without a name can have the keyboard"
    reader.press(text.NOTICE_YES)
    shell.hear_until("acknowledged")

    shell.say("checks")
    shell.hear_until("did checks")
    reader.heard("Only 2 GB are free")
    assert reader.named("Camera: passed")["description"] == "The camera works."
    reader.press(text.CHECKS_GO)
    shell.hear_until("proceed")

    shell.say("exam")
    shell.hear_until("loaded")
    assert reader.named("Question 3")["role"] == "heading", "the page itself is read"
    assert reader.named(text.LARGER)["role"] == "push button"
    reader.press(text.BREAK_TAKE)
    shell.hear_until("break")
    shell.say("break")
    reader.heard(text.COVER_TITLES["break"])
    until(lambda: reader.named(text.BREAK_END)["focused"], "for the keyboard on the way back")
    reader.press(text.BREAK_END)
    shell.hear_until("back")
    shell.say("frozen")
    reader.heard(text.COVER_TITLES["frozen"])
    shell.say("uncover")
    reader.heard(text.UNCOVERED)
    shell.say("message")
    reader.heard("Ten minutes more for everybody.")
    assert reader.named(text.MESSAGE_SEEN)["role"] == "push button"

    shell.say("flush")
    reader.heard(text.FLUSH_TITLE)
    shell.say("end")
    reader.heard("You have handed in")
    until(
        lambda: any("All is there." in one["description"] and one["focusable"] for one in reader.showing()),
        "to read what became of the recording",
    )
    reader.press(text.END_CLOSE)
    shell.hear_until("closed")

"""What real X servers say about displays and remote control: Xvfb, a real x11vnc on it, and TigerVNC's own server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Lockdown, Treatment
from app.guard.examining import SurveyWatch
from app.messages import Concern
from lockdown import select
from lockdown.environment.evidence import Evidence, Subject
from lockdown.processes import PsutilTable
from tests.edids import make_edid
from tests.xserver import Desktop, end, wait_for, x11_desktop

if select.system() != "linux":
    pytest.skip("X11 is a desktop of Linux", allow_module_level=True)

from Xlib import X

from lockdown.linux_system.parts import Surroundings
from lockdown.linux_x11.displays import RandrDisplays
from lockdown.linux_x11.remote import XSession
from lockdown.linux_x11.server import XServer

ROOT = Path(__file__).parents[2]
POLICY = Lockdown()
NOBODY = lambda _pid: False  # noqa: E731  (a value handed to several)
RIGHT = ("xrandr", "--setmonitor", "RIGHT", "640/170x800/200+640+0", "none")


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as desktop:
        yield desktop


@pytest.fixture
def connect(desktop: Desktop) -> "Iterator[Callable[[], XServer]]":
    opened: list[XServer] = []

    def open_one() -> "XServer":
        opened.append(XServer(desktop.display))
        return opened[-1]

    yield open_one
    for server in opened:
        server.close()


def _needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def _remote(found: "list[Evidence] | tuple[Evidence, ...]") -> Evidence | None:
    return next((one for one in found if one.subject is Subject.REMOTE_SESSION), None)


# --- displays ------------------------------------------------------------------------------------------------------


def test_the_display_of_xvfb_is_called_one_made_by_a_program(connect: "Callable[[], XServer]") -> None:
    (evidence,) = RandrDisplays(connect()).survey(POLICY)
    assert evidence.name == "screen"
    assert evidence.facts["place"] == "1280x800+0+0"
    assert "it is made by a program or a dummy plug" in evidence.described()["signals"]


def test_a_display_is_named_by_its_edid_and_without_its_serial_number(connect: "Callable[[], XServer]") -> None:
    server = connect()
    (output,) = server.root.xrandr_get_monitors().monitors[0].crtcs
    atom = server.display.intern_atom("EDID")
    words = make_edid("ELG", 0x77, "Elgato HD60 S", serial=987654321)
    server.display.xrandr_change_output_property(
        output, atom, server.display.intern_atom("INTEGER"), X.PropModeReplace, (8, words)
    )
    server.display.sync()
    displays = RandrDisplays(server)
    (screen,) = displays.screens()
    assert screen.title == "ELG Elgato HD60 S"
    (evidence,) = displays.survey(POLICY)
    assert "named like a device that records" in evidence.described()["signals"]
    assert "987654321" not in str(evidence)
    server.display.xrandr_delete_output_property(output, atom)
    server.display.sync()


def test_a_second_monitor_during_the_exam_is_reported_and_told(
    desktop: Desktop, connect: "Callable[[], XServer]"
) -> None:
    told: list[Concern] = []
    watch = SurveyWatch(RandrDisplays(connect()), POLICY, ManualClock(), told.append)
    assert [finding.facts["change"] for finding in watch.begin()] == ["was there at the start"]
    assert watch.observe() == []
    assert told == []
    desktop.run(*RIGHT)
    try:
        found = watch.observe()
        assert {finding.kind for finding in found} == {IncidentKind.DISPLAY_CHANGED}
        assert found[0].facts["before"] == "absent"
        assert [finding.facts["signals"] for finding in found[1:]] == [
            "a program declared it, no connector drives it",
            "2 displays are in use, 1 allowed",
        ]
        (concern,) = told
        assert concern.treatment is Treatment.WARN
        assert "2 displays are in use, 1 allowed. Unplug" in concern.says
        assert watch.observe() == []
    finally:
        desktop.run("xrandr", "--delmonitor", "RIGHT")
    assert [finding.facts["after"] for finding in watch.observe()] == ["absent"]


def test_a_screen_that_is_allowed_is_none_too_many(desktop: Desktop, connect: "Callable[[], XServer]") -> None:
    desktop.run(*RIGHT)
    try:
        said = [one.described()["signals"] for one in RandrDisplays(connect()).survey(Lockdown(displays=2))]
    finally:
        desktop.run("xrandr", "--delmonitor", "RIGHT")
    assert not [words for words in said if "allowed" in words]


# --- remote control ------------------------------------------------------------------------------------------------


def test_x11vnc_is_recognised_by_its_connection_to_the_screen(
    desktop: Desktop, connect: "Callable[[], XServer]"
) -> None:
    _needs("x11vnc")
    clock = ManualClock()
    surroundings = Surroundings(clock, NOBODY, XSession(connect(), PsutilTable(), NOBODY))
    before = _remote(tuple(surroundings.survey(POLICY)))
    assert before is None or before.score < POLICY.evidence_permille

    def seen() -> Evidence | None:
        clock.advance(10)
        found = _remote(tuple(surroundings.survey(POLICY)))
        return found if found is not None and "x11vnc is connected to the screen" in str(found) else None

    with desktop.program("x11vnc", "-localhost", "-nopw", "-autoport", "5900"):
        wait_for(seen, "x11vnc's connection")
        wait_for(lambda: "port 59" in str(seen()), "x11vnc's port")
        found = seen()
        assert found is not None
        assert found.score >= POLICY.evidence_permille


@contextmanager
def _vnc_server() -> Iterator[str]:
    reading, writing = os.pipe()
    command = ["Xtigervnc", "-displayfd", str(writing), "-SecurityTypes", "None", "-localhost", "-rfbport", "-1"]
    server = subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        end(server)


_SURVEY = """
import sys
from app.clock import ManualClock
from app.contract.policy import Lockdown
from lockdown.linux_system.parts import Surroundings
from lockdown.linux_x11.remote import XSession
from lockdown.linux_x11.server import XServer
from lockdown.processes import PsutilTable
server = XServer(sys.argv[1])
session = XSession(server, PsutilTable(), lambda _pid: False)
for evidence in Surroundings(ManualClock(), lambda _pid: False, session).survey(Lockdown()):
    print(evidence.subject, evidence.score, evidence.described()["signals"])
server.close()
"""


def test_a_vnc_servers_own_desktop_is_recognised() -> None:
    _needs("Xtigervnc")
    with _vnc_server() as name:
        # In a process of its own: python-xlib keeps the numbers of events for all servers together.
        command = [sys.executable, "-W", "error", "-c", _SURVEY, name]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout
    (found,) = (line for line in said.splitlines() if line.startswith(Subject.REMOTE_SESSION))
    assert int(found.split()[1]) >= POLICY.evidence_permille
    assert "the X server is one for remote use (VNC-EXTENSION)" in found
    assert 'the display "VNC-0" is one for remote use' in found

"""Input that a program made, a stolen focus, another console, a drag: seen on a real X server, counted, never read."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.clock import ManualClock
from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind
from lockdown import select
from lockdown.capabilities import Finding, Watch
from lockdown.processes import PsutilTable
from tests.xserver import Desktop, end, wait_for, x11_desktop

if select.system() != "linux":
    pytest.skip("X11 is a desktop of Linux", allow_module_level=True)

from Xlib import X
from Xlib.ext import xinput

from lockdown.linux_x11.clipboard import ClosedClipboard
from lockdown.linux_x11.console import ConsoleWatch
from lockdown.linux_x11.injected import REPORT_EVERY_S, InjectedInput
from lockdown.linux_x11.server import XServer
from lockdown.linux_x11.windows import WAIT_S, FocusWatch

ROOT = Path(__file__).parents[2]
A_KEY = 38


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as made:
        yield made


@pytest.fixture
def servers(desktop: Desktop) -> "Iterator[Callable[[], XServer]]":
    opened: list[XServer] = []

    def connect() -> XServer:
        opened.append(XServer(desktop.display))
        return opened[-1]

    yield connect
    for server in opened:
        server.close()


def one_finding(watch: Watch, clock: ManualClock, step_s: float) -> Finding:
    found: list[Finding] = []

    def look() -> bool:
        clock.advance(step_s)
        found.extend(watch.observe())
        return bool(found)

    wait_for(look, "a finding")
    assert len(found) == 1
    return found[0]


def type_by_program(server: XServer, presses: int) -> None:
    for _ in range(presses):
        server.display.xtest_fake_input(X.KeyPress, A_KEY)
        server.display.xtest_fake_input(X.KeyRelease, A_KEY)
    server.display.sync()


# --- injected input ------------------------------------------------------------------------------------------------


def test_keys_and_clicks_of_a_program_are_counted_once_in_five_seconds(servers: "Callable[[], XServer]") -> None:
    clock, looking = ManualClock(), servers()
    watch = InjectedInput(looking, clock)
    assert watch.observe() == ()
    program = servers()
    type_by_program(program, 3)
    for kind in (X.ButtonPress, X.ButtonRelease):
        program.display.xtest_fake_input(kind, 1)
    program.display.sync()
    looking.display.sync()  # who is told of it may be told later than who did it
    began = clock.now()
    assert watch.observe() == ()
    type_by_program(program, 2)
    looking.display.sync()
    finding = one_finding(watch, clock, REPORT_EVERY_S)
    assert finding.kind is IncidentKind.INPUT_INJECTED
    assert finding.facts == {"keys": "5", "clicks": "1", "by": "XTEST"}
    assert finding.since == began
    clock.advance(2 * REPORT_EVERY_S)
    assert watch.observe() == ()


def test_it_is_counted_also_while_the_exam_holds_the_keyboard(servers: "Callable[[], XServer]") -> None:
    clock, exam, looking = ManualClock(), servers(), servers()
    watch = InjectedInput(looking, clock)
    assert exam.root.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime) == X.GrabSuccess
    exam.display.sync()
    type_by_program(servers(), 4)
    looking.display.sync()
    watch.observe()
    assert one_finding(watch, clock, REPORT_EVERY_S).facts["keys"] == "4"


def test_no_device_of_a_person_is_listened_to(
    servers: "Callable[[], XServer]", monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers()
    selected: list[tuple[int, int]] = []
    select_events = type(server.root).xinput_select_events

    def select(window: object, masks: list[tuple[int, int]]) -> object:
        selected.extend(masks)
        return select_events(window, masks)

    monkeypatch.setattr(type(server.root), "xinput_select_events", select)
    InjectedInput(server, ManualClock())
    names = {d.deviceid: d.name for d in server.display.xinput_query_device(xinput.AllDevices).devices}
    assert {names[device] for device, _ in selected} == {"Virtual core XTEST keyboard", "Virtual core XTEST pointer"}
    assert {"Xvfb keyboard", "Xvfb mouse"} <= set(names.values())


# --- focus ---------------------------------------------------------------------------------------------------------


def test_who_takes_the_focus_and_for_how_long(desktop: Desktop, servers: "Callable[[], XServer]") -> None:
    clock, exam = ManualClock(), servers()
    window: Any = exam.root.create_window(0, 0, 300, 300, 0, X.CopyFromParent, override_redirect=True)
    window.map()
    exam.display.sync()
    window.set_input_focus(X.RevertToParent, X.CurrentTime)
    exam.display.sync()
    own = os.getpid()
    watch = FocusWatch(servers(), PsutilTable(), clock, lambda pid: pid == own)
    assert watch.observe() == ()
    thief = subprocess.Popen(
        [sys.executable, "-m", "tests.x11_client", "take_focus"],
        env=desktop.environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert thief.stdout is not None
        assert thief.stdout.readline() == b"ready\n"
        assert watch.observe() == ()
        clock.advance(WAIT_S)
        (early,) = watch.observe()
        assert early.facts["pid"] == str(thief.pid)
        clock.advance(2)
        assert watch.observe() == ()
        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        exam.display.sync()
        (finding,) = watch.observe()
    finally:
        end(thief)
    assert finding.facts == {**early.facts, "duration_ms": "3000"}
    assert finding.since == early.since
    assert watch.observe() == ()


def test_another_console_is_noticed_and_timed(tmp_path: Path) -> None:
    active = tmp_path / "active"
    active.write_text("tty2\n")
    clock = ManualClock()
    watch = ConsoleWatch(clock, active)
    assert watch.observe() == ()
    active.write_text("tty3\n")
    (left,) = watch.observe()
    assert (left.kind, left.facts) == (IncidentKind.FOCUS_LOST, {"console": "tty3"})
    clock.advance(4)
    assert watch.observe() == ()
    active.write_text("tty2\n")
    (back,) = watch.observe()
    assert back.facts == {"console": "tty3", "duration_ms": "4000"}
    assert watch.observe() == ()


def test_a_system_that_does_not_name_its_console_is_said_to_lack_it(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="console"):
        ConsoleWatch(ManualClock(), tmp_path / "nothing")


# --- clipboards and drags ------------------------------------------------------------------------------------------


def take(server: XServer, selection: str) -> Any:
    window = server.root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    window.set_selection_owner(server.display.get_atom(selection), X.CurrentTime)
    server.display.sync()
    return window


@pytest.mark.parametrize("selection", ["CLIPBOARD", "PRIMARY", "SECONDARY", "XdndSelection"])
def test_every_way_to_hand_text_over_is_taken_back(servers: "Callable[[], XServer]", selection: str) -> None:
    clock = ManualClock()
    guard = ClosedClipboard(servers(), PsutilTable(), clock, lambda _pid: False)
    guard.engage()
    assert guard.observe() == ()
    other = servers()
    take(other, selection)
    finding = one_finding(guard, clock, 0)
    assert finding.facts["selection"] == {"XdndSelection": "drag"}.get(selection, selection.lower())
    owner = other.display.get_selection_owner(other.display.get_atom(selection))
    assert guard._window.id == owner.id
    guard.release()


def test_a_drag_of_our_own_is_left_alone(servers: "Callable[[], XServer]") -> None:
    clock = ManualClock()
    guard = ClosedClipboard(servers(), PsutilTable(), clock, lambda _pid: True)
    guard.engage()
    other = servers()
    window = take(other, "XdndSelection")
    clock.advance(5)
    assert guard.observe() == ()
    assert other.display.get_selection_owner(other.display.get_atom("XdndSelection")).id == window.id
    guard.release()


def test_nobody_s_clipboard_is_ever_asked_for_its_contents(servers: "Callable[[], XServer]") -> None:
    owner = servers()
    take(owner, "CLIPBOARD")
    guard = ClosedClipboard(servers(), PsutilTable(), ManualClock(), lambda _pid: False)
    guard.engage()
    take(owner, "CLIPBOARD")
    guard.observe()
    guard.release()
    owner.display.sync()
    asked = []
    while owner.display.pending_events():
        asked.append(owner.display.next_event().type)
    assert X.SelectionClear in asked
    assert X.SelectionRequest not in asked

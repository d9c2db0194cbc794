"""The Windows parts on a computer that answers call by call: what they find, leave alone and give back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import ManualClock
from app.contract.agreement import Allowance
from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability, Lockdown
from lockdown.capabilities import Finding
from lockdown.environment.evidence import Subject
from lockdown.fake import FakeTable
from lockdown.foreign_windows import CLICK_THROUGH, GONE_AFTER_S, HIDDEN, TOPMOST, TRANSLUCENT
from lockdown.processes import Program
from lockdown.windows import constants as c
from lockdown.windows import desktop, devices, identity, keyboard, smbios
from lockdown.windows.belonging import belongs_over_the_exam
from lockdown.windows.clipboard import TRIES, EmptyClipboard
from lockdown.windows.combinations import SYSTEM_KEY, blocked
from lockdown.windows.displays import screens
from lockdown.windows.functions import PROTOTYPES, Functions
from lockdown.windows.hook import KeyboardHook
from lockdown.windows.keyboard import REPORT_EVERY_S, KeyboardGuard
from lockdown.windows.overlays import Owners, TopLevelWindows, ask_to_close
from lockdown.windows.sleep import PowerRequest
from lockdown.windows.surroundings import Plugs, Surroundings
from tests.windows_machine import (
    A_VIRTUALBOX,
    GUARD,
    SHELL,
    FakeDisk,
    FakeDisplay,
    FakeWindow,
    WindowsMachine,
)
from tests.windows_machine import (
    smbios as firmware,
)
from tests.xserver import wait_for

CLUELY = 300
MAGNIFIER = 301


def _is_own(pid: int) -> bool:
    return pid in (SHELL, GUARD)


def _table() -> FakeTable:
    table = FakeTable()
    table.start("Cluely.exe", pid=CLUELY, path=r"C:\Users\a\AppData\Local\Cluely\Cluely.exe")
    table.start("Magnify.exe", pid=MAGNIFIER, path=r"C:\Windows\System32\Magnify.exe")
    return table


# --- windows -------------------------------------------------------------------------------------------------------


def _watch(machine: WindowsMachine, clock: ManualClock) -> TopLevelWindows:
    return TopLevelWindows(machine.api, _table(), clock, _is_own, belongs_over_the_exam)


def _exam(*above: FakeWindow, below: tuple[FakeWindow, ...] = ()) -> WindowsMachine:
    return WindowsMachine(windows=[*above, FakeWindow(number=10, pid=SHELL), *below], foreground=10)


def test_an_overlay_is_named_with_what_gives_it_away_and_how_long_it_was_there() -> None:
    style = c.WS_EX_TOPMOST | c.WS_EX_LAYERED | c.WS_EX_TRANSPARENT
    overlay = FakeWindow(number=20, pid=CLUELY, place=(0, 0, 960, 1080), style=style, affinity=c.WDA_EXCLUDEFROMCAPTURE)
    machine, clock = _exam(overlay), ManualClock()
    watch = _watch(machine, clock)
    (found,) = watch.observe()
    assert found.kind is IncidentKind.WINDOW_OVER_EXAM
    assert found.facts["name"] == "Cluely.exe"
    assert found.facts["covered_percent"] == "50"
    assert set(found.facts["special"].split(", ")) == {HIDDEN, CLICK_THROUGH, TOPMOST, TRANSLUCENT}
    clock.advance(3.0)
    assert watch.observe() == []
    machine.windows.remove(overlay)
    clock.advance(GONE_AFTER_S)
    (gone,) = watch.observe()
    assert gone.facts["duration_ms"] == "3000"


def test_a_window_kept_out_of_recordings_is_reported_wherever_it_is() -> None:
    machine = _exam(below=(FakeWindow(number=20, pid=CLUELY, affinity=c.WDA_MONITOR),))
    (found,) = _watch(machine, ManualClock()).observe()
    assert (found.facts["special"], found.facts["covered_percent"]) == (HIDDEN, "0")


@pytest.mark.parametrize(
    "window",
    [
        FakeWindow(number=20, pid=CLUELY, visible=False),
        FakeWindow(number=20, pid=CLUELY, minimised=True),
        FakeWindow(number=20, pid=CLUELY, cloaked=True),
        FakeWindow(number=20, pid=CLUELY, place=(1920, 0, 3840, 1080)),
        FakeWindow(number=20, pid=CLUELY, place=(0, 0, 5, 1080)),
        FakeWindow(number=20, pid=SHELL),
        FakeWindow(number=20, pid=MAGNIFIER, style=c.WS_EX_TOPMOST),
    ],
    ids=["invisible", "minimised", "on another desktop", "beside the exam", "too narrow", "our own", "magnifier"],
)
def test_what_covers_nothing_or_belongs_there_is_left_alone(window: FakeWindow) -> None:
    assert _watch(_exam(window), ManualClock()).observe() == []


def test_a_window_behind_the_exam_is_left_alone() -> None:
    machine = _exam(below=(FakeWindow(number=20, pid=CLUELY),))
    assert _watch(machine, ManualClock()).observe() == []


def test_a_helper_that_hides_from_recordings_is_no_helper() -> None:
    machine = _exam(FakeWindow(number=20, pid=MAGNIFIER, affinity=c.WDA_EXCLUDEFROMCAPTURE))
    assert [found.facts["name"] for found in _watch(machine, ManualClock()).observe()] == ["Magnify.exe"]


@pytest.mark.parametrize(
    ("path", "belongs"),
    [
        (r"C:\Windows\System32\osk.exe", True),
        (r"C:\Program Files (x86)\NVDA\nvda.exe", True),
        (r"C:\Users\a\Desktop\nvda.exe", False),
        (r"C:\Users\Windows\nvda.exe", False),
        (r"C:\Windows\..\Users\a\nvda.exe", False),
        (r"C:\Windows\System32\notepad.exe", False),
        ("", False),
    ],
)
def test_who_belongs_over_the_exam(path: str, *, belongs: bool) -> None:
    program = Program(pid=1, parent=0, created=0, name=path.rpartition("\\")[2], path=path, user="a")
    assert belongs_over_the_exam(program) is belongs


def test_who_takes_the_focus_is_named_once() -> None:
    machine = _exam(below=(FakeWindow(number=20, pid=CLUELY),))
    watch = _watch(machine, ManualClock())
    machine.foreground = 20
    (found,) = watch.observe()
    assert (found.kind, found.facts["pid"]) == (IncidentKind.FOCUS_LOST, str(CLUELY))
    assert watch.observe() == []
    machine.foreground = 10
    assert watch.observe() == []
    machine.foreground = 20
    assert len(watch.observe()) == 1


def test_asking_to_close_asks_the_shown_windows_of_that_program_only() -> None:
    hidden = FakeWindow(number=21, pid=CLUELY, visible=False)
    mine, other = FakeWindow(number=20, pid=CLUELY), FakeWindow(number=22, pid=MAGNIFIER)
    machine = _exam(mine, hidden, other)
    program = _table().look(CLUELY)
    assert program is not None
    assert ask_to_close(machine.api, program)
    assert [window.closed for window in (mine, hidden, other)] == [True, False, False]
    machine.windows.remove(mine)
    assert not ask_to_close(machine.api, program)
    assert Owners(machine.api).pids() == {SHELL, MAGNIFIER}


# --- clipboard -----------------------------------------------------------------------------------------------------


def test_the_clipboard_is_emptied_and_never_read() -> None:
    machine, clock = _exam(FakeWindow(number=20, pid=CLUELY)), ManualClock()
    machine.copy()
    guard = EmptyClipboard(machine.api, _table(), clock, _is_own)
    guard.engage()
    assert machine.formats == 0
    machine.copy(owner=20)
    (found,) = guard.observe()
    assert (found.facts["name"], found.facts["changes"]) == ("Cluely.exe", "1")
    assert machine.formats == 0
    assert not {name for name in PROTOTYPES if "ClipboardData" in name}, "nothing is declared that could read it"


def test_what_our_own_window_copies_is_taken_away_without_a_report() -> None:
    machine = _exam()
    guard = EmptyClipboard(machine.api, _table(), ManualClock(), _is_own)
    guard.engage()
    machine.copy(owner=10)
    assert guard.observe() == ()
    assert guard.holds()


def test_changes_are_reported_now_and_then_with_their_number() -> None:
    machine, clock = WindowsMachine(), ManualClock()
    guard = EmptyClipboard(machine.api, _table(), clock, _is_own)
    guard.engage()
    reports: list[Finding] = []
    for _ in range(30):
        machine.copy()
        reports.extend(guard.observe())
        clock.advance(0.5)
    assert [report.facts["changes"] for report in reports] == ["1", "10", "10"]


def test_a_clipboard_that_another_program_keeps_open_is_tried_again_then_said() -> None:
    machine = WindowsMachine(clipboard_is_open=True)
    with pytest.raises(Unsupported, match="keeps the clipboard open"):
        EmptyClipboard(machine.api, _table(), ManualClock(), _is_own).engage()
    assert machine.api.calls.count("OpenClipboard") == TRIES


# --- keyboard ------------------------------------------------------------------------------------------------------


@pytest.fixture
def held() -> Iterator[tuple[WindowsMachine, KeyboardGuard, ManualClock]]:
    machine, clock = WindowsMachine(), ManualClock()
    guard = KeyboardGuard(machine.api, clock, KeyboardHook(machine.api))
    guard.engage()
    yield machine, guard, clock
    guard.release()
    assert not machine.hooks, "the hook was not given back"


def test_combinations_are_swallowed_and_counted_by_name(
    held: tuple[WindowsMachine, KeyboardGuard, ManualClock],
) -> None:
    machine, guard, clock = held
    assert machine.press(c.VK_TAB, c.LLKHF_ALTDOWN)
    assert machine.press(c.VK_TAB, c.LLKHF_ALTDOWN | c.LLKHF_UP)
    assert machine.press(c.VK_LWIN)
    assert not machine.press(ord("A"))
    assert not machine.press(c.VK_TAB)
    facts = [found.facts for found in guard.observe()]
    assert facts == [{"keys": "Alt+Tab", "times": "1"}, {"keys": "Meta", "times": "1"}]
    machine.press(c.VK_SNAPSHOT)
    assert guard.observe() == ()
    clock.advance(REPORT_EVERY_S)
    assert [found.facts["keys"] for found in guard.observe()] == ["Print"]


def test_keys_that_a_program_made_are_counted_and_not_named(
    held: tuple[WindowsMachine, KeyboardGuard, ManualClock],
) -> None:
    machine, guard, _ = held
    for letter in "SECRET":
        assert not machine.press(ord(letter), c.LLKHF_INJECTED)
        machine.press(ord(letter), c.LLKHF_INJECTED | c.LLKHF_UP)
    (found,) = guard.observe()
    assert found.kind is IncidentKind.INPUT_INJECTED
    assert found.facts == {"keys": "6", "by": "a program"}


def test_the_hook_is_set_anew_by_the_timer_with_no_gap(
    held: tuple[WindowsMachine, KeyboardGuard, ManualClock],
) -> None:
    machine, _, _ = held
    (first,) = machine.hooks
    machine.messages.put(c.WM_TIMER)
    wait_for(lambda: set(machine.hooks) not in ({first}, set()) and len(machine.hooks) == 1, "another hook")
    names = [name for name in machine.api.calls if "indowsHook" in name]
    assert names == ["SetWindowsHookExW", "SetWindowsHookExW", "UnhookWindowsHookEx"]


def test_windows_that_takes_no_hook_is_said_and_nothing_is_changed() -> None:
    machine = WindowsMachine(refuses_hooks=True)
    before = dict(machine.shortcuts)
    guard = KeyboardGuard(machine.api, ManualClock(), KeyboardHook(machine.api))
    with pytest.raises(Unsupported, match="hold the keyboard"):
        guard.engage()
    assert machine.shortcuts == before


def test_only_the_shortcuts_of_sticky_keys_go_not_the_keys_themselves() -> None:
    machine = WindowsMachine()
    machine.shortcuts[c.SPI_GETSTICKYKEYS] |= 1  # SKF_STICKYKEYSON: this candidate uses them
    before = dict(machine.shortcuts)
    guard = KeyboardGuard(machine.api, ManualClock(), KeyboardHook(machine.api))
    (undo,) = guard.plan()
    guard.engage()
    assert {what: before[what] ^ now for what, now in machine.shortcuts.items()} == dict.fromkeys(before, 4)
    guard.release()
    keyboard.replayer(machine.api)(undo.arguments)
    assert machine.shortcuts == before


@pytest.mark.parametrize(
    ("key", "held_with", "name"),
    [
        (c.VK_TAB, {"alt"}, "Alt+Tab"),
        (c.VK_ESCAPE, {"control"}, "Ctrl+Escape"),
        (c.VK_ESCAPE, {"control", "shift"}, "Ctrl+Shift+Escape"),
        (c.VK_F4, {"alt"}, "Alt+F4"),
        (c.VK_BROWSER_HOME, set(), "Browser key"),
        (c.VK_LAUNCH_APP2, set(), "Launch key"),
        (0xC0, {"alt"}, None),  # Alt+` switches the input method
        (0x19, set(), None),  # Kanji
        (0x2D, set(), None),  # Insert: NVDA's and Narrator's own key
        (0x14, {"shift"}, None),  # Caps Lock
        (ord("C"), {"control"}, None),
        (c.VK_F4, set(), None),
    ],
)
def test_which_keys_mean_nothing_in_an_exam(key: int, held_with: set[str], name: str | None) -> None:
    found = blocked(key, alt="alt" in held_with, control="control" in held_with, shift="shift" in held_with)
    assert found == name


def test_an_allowance_leaves_the_system_key_alone() -> None:
    machine = WindowsMachine()
    granted = (Allowance.ACCESSIBILITY_KEYS,)
    guard = desktop.parts(machine.api, _table(), ManualClock(), _is_own, granted)[Capability.INPUT_GUARD]
    assert isinstance(guard, KeyboardGuard)
    guard.engage()
    try:
        assert not machine.press(c.VK_LWIN)
        assert machine.press(c.VK_TAB, c.LLKHF_ALTDOWN)
    finally:
        guard.release()
    assert blocked(c.VK_LWIN, alt=False, control=False, shift=False, allowed={SYSTEM_KEY}) is None


# --- displays, devices, surroundings -------------------------------------------------------------------------------


def test_displays_are_named_placed_and_told_apart() -> None:
    machine = WindowsMachine(
        displays=[
            FakeDisplay(title="", technology=0x80000000, target=1),
            FakeDisplay(title="DELL U2720Q", technology=10, picture=1, target=2, size=(3840, 2160)),
            FakeDisplay(title="Elgato HD60", technology=5, picture=1, target=3, size=(3840, 2160)),
            FakeDisplay(title="VDD by MTT", technology=17, picture=2, target=4),
        ],
        grows=1,
    )
    panel, large, mirrored, made = screens(machine.api)
    assert (panel.connector, panel.title, panel.place) == ("eDP-1", "", "1920x1080+0+0")
    assert (large.connector, large.title, large.place) == ("DP-2", "DELL U2720Q", "3840x2160+1920+0")
    assert mirrored.picture == large.picture != panel.picture
    assert made.connector == "virtual-4"


def test_disks_are_described_without_the_right_to_read_them() -> None:
    card_reader = FakeDisk(vendor="Generic", product="Reader", bus=c.ENUMERATED["BusTypeUsb"], size=0, removable=True)
    stick = FakeDisk(vendor="SanDisk", product="Ultra", bus=c.ENUMERATED["BusTypeUsb"], size=32_010_928_128)
    machine = WindowsMachine()
    machine.disks += [card_reader, stick]
    inside, plugged = devices.disks(machine.api)
    assert (inside.model, inside.bus, inside.is_removable) == ("SAMSUNG MZVLB512", "NVMe", False)
    assert (plugged.model, plugged.size, plugged.is_removable) == ("SanDisk Ultra", 32_010_928_128, True)
    assert not machine.handles, "a disk was not closed"


def test_keyboards_and_mice_are_listed_and_those_of_a_program_are_told() -> None:
    machine = WindowsMachine()
    machine.device_ids[devices.KEYBOARDS].append(r"TERMINPUT_BUS\UMB\2&2C22BCC9&0&SESSION1KEYBOARD0")
    built_in, remote, mouse = devices.keyboards_and_mice(machine.api)
    assert (built_in.name, built_in.bus, built_in.is_made) == ("Standard PS/2 Keyboard", "ACPI", False)
    assert remote.is_made
    assert (mouse.kind, mouse.identity) == ("mouse", "046d:c077")
    made = [one for one in Plugs(machine.api, ManualClock()).survey(Lockdown()) if not one.ordinary]
    assert [one.subject for one in made] == [Subject.INPUT_DEVICES]


def test_a_laptop_has_no_signs() -> None:
    assert Surroundings(WindowsMachine().api, ManualClock()).survey(Lockdown()) == ()


def test_signs_of_a_virtual_machine_a_remote_session_a_debugger_and_a_made_up_camera() -> None:
    machine = WindowsMachine(
        firmware=A_VIRTUALBOX, metrics={c.SM_REMOTECONTROL}, debugged={os.getppid()}, console_session=2
    )
    machine.device_ids["PCI"] = [r"PCI\VEN_80EE&DEV_BEEF&SUBSYS_00000000&REV_00\3&267A616A&1&10"]
    machine.device_ids[devices.CAMERAS] = [r"ROOT\CAMERA\0000"]
    machine.device_names["CAMERA"] = "OBS Virtual Camera"
    found = {one.subject: one for one in Surroundings(machine.api, ManualClock()).survey(Lockdown())}
    assert set(found) == {
        Subject.VIRTUAL_MACHINE,
        Subject.REMOTE_SESSION,
        Subject.DEBUGGER,
        Subject.VIRTUAL_DEVICES,
    }
    assert found[Subject.VIRTUAL_MACHINE].score > 900
    assert not machine.handles


def test_firmware_is_read_without_its_serial_numbers() -> None:
    assert smbios.texts(WindowsMachine().firmware) == (
        *("LENOVO", "N2WET30W (1.20 )", "LENOVO", "20T0S39N00", "LENOVO", "20T0S39N00", "LENOVO"),
    )


@given(st.binary(max_size=200), st.integers(0, 300))
def test_damaged_firmware_is_read_as_far_as_it_goes(noise: bytes, cut: int) -> None:
    assert all(isinstance(text, str) for text in smbios.texts(noise))
    whole = firmware((1, bytes((1, 2)), ["Maker", "Product"]))
    assert set(smbios.texts(whole[:cut] + noise)) is not None


# --- power, identities, and the whole ------------------------------------------------------------------------------


def test_a_power_request_that_is_refused_is_said() -> None:
    with pytest.raises(Unsupported, match="keep the screen on"):
        PowerRequest(WindowsMachine(blind=True).api).engage()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    file = tmp_path / "homework.exe"
    file.write_bytes(b"MZ")
    return Program(pid=7, parent=1, created=0, name=file.name, path=str(file), user="a")


def test_a_renamed_program_says_what_it_was_and_who_signed_it(program: Program) -> None:
    machine = WindowsMachine(
        version_resources={
            program.path: {
                r"\VarFileInfo\Translation": "0704b004",
                r"\StringFileInfo\040704b0\OriginalFilename": "AnyDesk.exe",
            }
        },
        signers={program.path: "AnyDesk Software GmbH"},
    )
    identities = identity.Identities(machine.api)
    found = identities.of(program)
    assert (found.original_name, found.signer) == ("AnyDesk.exe", "AnyDesk Software GmbH")
    assert identities.of(program) is found, "each file is read once"
    assert machine.open_states == 0, "what WinVerifyTrust keeps was not given back"


def test_a_program_without_resource_or_signature_says_nothing(program: Program) -> None:
    machine = WindowsMachine()
    found = identity.Identities(machine.api).of(program)
    assert (found.original_name, found.signer, machine.open_states) == ("", "", 0)


def test_the_name_is_also_found_where_the_resource_names_no_language(program: Program) -> None:
    resource = {r"\StringFileInfo\040904b0\OriginalFilename": "obs64.exe"}
    machine = WindowsMachine(version_resources={program.path: resource})
    assert identity.original_name(machine.api, program.path) == "obs64.exe"


def test_every_function_that_is_declared_is_called_somewhere_and_answered_by_the_machine() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in Path(desktop.__file__).parent.glob("*.py"))
    idle = [name for name in PROTOTYPES if f"api.{name}(" not in text]
    assert not idle
    assert not [name for name in PROTOTYPES if not hasattr(WindowsMachine, name)]


def test_where_there_is_no_windows_each_call_says_so() -> None:
    with pytest.raises(Unsupported, match="no GetForegroundWindow"):
        Functions().GetForegroundWindow()
    with pytest.raises(AttributeError):
        Functions().NoSuchFunction()

"""The macOS parts on a computer that answers call by call: what they find, leave alone and give back."""

import os
import plistlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind
from app.contract.policy import Lockdown
from lockdown.capabilities import Finding, unsupported
from lockdown.environment.evidence import Subject
from lockdown.fake import FakeTable
from lockdown.foreign_windows import HIDDEN, TOPMOST, TRANSLUCENT
from lockdown.macos import desktop, devices
from lockdown.macos.belonging import belongs_over_the_exam
from lockdown.macos.clipboard import EmptyPasteboard
from lockdown.macos.combinations import COMMAND, CONTROL, OPTION, SHIFT, blocked
from lockdown.macos.displays import screens
from lockdown.macos.functions import PROTOTYPES, TYPES, Functions
from lockdown.macos.identity import APPLE, Identities, bundle_id, team
from lockdown.macos.keyboard import REPORT_EVERY_S, KeyboardGuard
from lockdown.macos.overlays import Owners, WindowList, shown
from lockdown.macos.sleep import PowerAssertion
from lockdown.macos.surroundings import Surroundings
from lockdown.macos.tap import EventTap
from lockdown.processes import Program
from tests.macos_machine import A_KEYBOARD, FakeDisplay, FakeWindow, MacMachine

SHELL = 100
CLUELY = 300
DOCK = 301


@pytest.fixture
def machine() -> Iterator[MacMachine]:
    """A Mac; at the end everything that it handed out must have been given back."""
    machine = MacMachine(windows=[FakeWindow(pid=SHELL)])
    yield machine
    assert machine.leaks == []
    assert machine.open_objects == 0


def _is_own(pid: int) -> bool:
    return pid == SHELL


def _table() -> FakeTable:
    table = FakeTable()
    table.start("Cluely", pid=CLUELY, path="/Applications/Cluely.app/Contents/MacOS/Cluely")
    table.start("Dock", pid=DOCK, path="/System/Library/CoreServices/Dock.app/Contents/MacOS/Dock")
    return table


def _watch(machine: MacMachine) -> WindowList:
    table = _table()
    return WindowList(machine.api, table, ManualClock(), _is_own, belongs_over_the_exam(table.own_user()))


# --- windows -------------------------------------------------------------------------------------------------------


def test_an_overlay_is_named_with_what_gives_it_away_and_no_title_is_asked_for(machine: MacMachine) -> None:
    overlay = FakeWindow(pid=CLUELY, number=2, place=(0, 0, 720, 900), layer=25, alpha=0.9, sharing=0)
    machine.windows.insert(0, overlay)
    (found,) = _watch(machine).observe()
    assert found.kind is IncidentKind.WINDOW_OVER_EXAM
    assert (found.facts["name"], found.facts["covered_percent"]) == ("Cluely", "50")
    assert set(found.facts["special"].split(", ")) == {HIDDEN, TOPMOST, TRANSLUCENT}
    assert "kCGWindowName" not in machine.keys_asked


@pytest.mark.parametrize(
    "window",
    [
        FakeWindow(pid=CLUELY, number=2, alpha=0),
        FakeWindow(pid=CLUELY, number=2, place=(0, 0, 1440, 5)),
        FakeWindow(pid=CLUELY, number=2, place=(1440, 0, 800, 600)),
        FakeWindow(pid=DOCK, number=2, layer=20),
        FakeWindow(pid=SHELL, number=2, layer=20),
    ],
    ids=["invisible", "too low", "beside the exam", "the dock", "our own"],
)
def test_what_covers_nothing_or_belongs_there_is_left_alone(window: FakeWindow, machine: MacMachine) -> None:
    machine.windows.insert(0, window)
    assert _watch(machine).observe() == []


def test_a_window_whose_sharing_is_not_told_is_not_called_hidden(machine: MacMachine) -> None:
    machine.windows = [FakeWindow(pid=CLUELY, sharing=None)]
    (window,) = shown(machine.api)
    assert window.signs == ()
    assert Owners(machine.api).pids() == {CLUELY}


@pytest.mark.parametrize(
    ("path", "user", "belongs"),
    [
        ("/System/Library/CoreServices/Dock.app/Contents/MacOS/Dock", "me", True),
        ("/System/Library/CoreServices/VoiceOver.app/Contents/MacOS/VoiceOver", "me", True),
        ("", "_windowserver", True),
        ("/Users/me/VoiceOver", "me", False),
        ("/System/Applications/TextEdit.app/Contents/MacOS/TextEdit", "me", False),
        ("/Applications/Cluely.app/Contents/MacOS/Cluely", "me", False),
    ],
)
def test_who_belongs_over_the_exam(path: str, user: str, *, belongs: bool) -> None:
    program = Program(pid=1, parent=0, created=0, name=path.rpartition("/")[2], path=path, user=user)
    assert belongs_over_the_exam("me")(program) is belongs


# --- clipboard and keyboard ----------------------------------------------------------------------------------------


def test_the_pasteboard_is_cleared_and_never_read(machine: MacMachine) -> None:
    machine.copied = 2
    clock = ManualClock()
    guard = EmptyPasteboard(machine.api, clock)
    guard.engage()
    assert machine.copied == 0
    reports: list[Finding] = []
    for _ in range(30):
        machine.copied = 1
        reports.extend(guard.observe())
        clock.advance(0.5)
    assert [report.facts["changes"] for report in reports] == ["1", "10", "10"]
    guard.release()
    assert not {name for name in PROTOTYPES if "CopyItem" in name}, "nothing is declared that could read it"


def test_a_count_of_minus_one_is_an_empty_pasteboard(machine: MacMachine) -> None:
    guard = EmptyPasteboard(machine.api, ManualClock())
    guard.engage()
    machine.copied = -1
    assert guard.observe() == ()
    assert guard.holds()
    guard.release()


def test_a_pasteboard_that_is_not_there_is_said(machine: MacMachine) -> None:
    machine.blind = True
    with pytest.raises(Unsupported, match="clear the clipboard"):
        EmptyPasteboard(machine.api, ManualClock()).engage()


@pytest.fixture
def held(machine: MacMachine) -> Iterator[tuple[MacMachine, KeyboardGuard, ManualClock]]:
    clock = ManualClock()
    guard = KeyboardGuard(EventTap(machine.api), clock)
    guard.engage()
    yield machine, guard, clock
    guard.release()
    assert machine.tap is None, "the tap was not given back"


def test_combinations_are_swallowed_and_counted_by_name(held: tuple[MacMachine, KeyboardGuard, ManualClock]) -> None:
    machine, guard, clock = held
    assert machine.press(48, COMMAND)
    assert machine.press(48, COMMAND, kind=11)
    assert not machine.press(0)
    assert not machine.press(48)
    assert [found.facts for found in guard.observe()] == [{"keys": "Command+Tab", "times": "1"}]
    machine.press(20, COMMAND | SHIFT)
    assert guard.observe() == ()
    clock.advance(REPORT_EVERY_S)
    assert [found.facts["keys"] for found in guard.observe()] == ["Command+Shift+3"]


def test_keys_that_a_program_made_are_counted_and_not_named(
    held: tuple[MacMachine, KeyboardGuard, ManualClock],
) -> None:
    machine, guard, _ = held
    for key in range(6):
        assert not machine.press(key, pid=CLUELY)
    (found,) = guard.observe()
    assert (found.kind, found.facts) == (IncidentKind.INPUT_INJECTED, {"keys": "6", "by": "a program"})


def test_a_tap_that_macos_switched_off_is_switched_on_again(
    held: tuple[MacMachine, KeyboardGuard, ManualClock],
) -> None:
    machine, guard, _ = held
    machine.switch_tap_off()
    assert guard.holds()
    assert machine.press(48, COMMAND)


def test_without_the_right_it_says_where_to_give_it(machine: MacMachine) -> None:
    machine.may_hold_keys = False
    guard = KeyboardGuard(EventTap(machine.api), ManualClock())
    with pytest.raises(Unsupported) as refused:
        guard.engage()
    assert "Accessibility" in refused.value.advice
    assert not guard.holds()


@pytest.mark.parametrize(
    ("key", "flags", "name"),
    [
        (49, COMMAND, "Command+Space"),
        (21, COMMAND | SHIFT, "Command+Shift+4"),
        (126, CONTROL, "Control+Up"),
        (160, 0, "Mission Control"),
        (126, CONTROL | OPTION, None),  # VoiceOver
        (49, CONTROL, None),  # another input method
        (8, COMMAND, None),  # copy
        (0, OPTION, None),  # å
        (53, 0, None),
    ],
)
def test_which_keys_mean_nothing_in_an_exam(key: int, flags: int, name: str | None) -> None:
    assert blocked(key, flags) == name
    assert name is None or blocked(key, flags, allowed={name}) is None


# --- displays, devices, surroundings -------------------------------------------------------------------------------


def test_displays_are_named_placed_and_told_apart(machine: MacMachine) -> None:
    machine.displays = [
        FakeDisplay(number=1),
        FakeDisplay(number=2, vendor=0x10AC, model=0x4142, built_in=False, place=(1440, 0, 2560, 1440)),
        FakeDisplay(number=3, vendor=0, model=0, built_in=False, mirrors=1),
    ]
    panel, large, mirrored = screens(machine.api)
    assert (panel.connector, panel.title) == ("eDP-1", "APP A050")
    assert (large.connector, large.title, large.place) == ("display-2", "DEL 4142", "2560x1440+1440+0")
    assert mirrored.picture == panel.picture != large.picture
    assert mirrored.title == ""


def test_devices_are_listed_without_their_serial_numbers(machine: MacMachine) -> None:
    machine.entries["IOHIDDevice"] = [
        A_KEYBOARD,
        {"PrimaryUsagePage": 1, "PrimaryUsage": 2, "Transport": "USB", "VendorID": 0x46D, "ProductID": 0xC077},
        {"PrimaryUsagePage": 1, "PrimaryUsage": 6, "Transport": "Virtual", "Product": "Karabiner"},
        {"PrimaryUsagePage": 12, "PrimaryUsage": 1, "Transport": "USB"},
    ]
    keyboard, mouse, made = devices.keyboards_and_mice(machine.api)
    assert (keyboard.kind, keyboard.bus, keyboard.identity) == ("keyboard", "built in", "05ac:0342")
    assert (mouse.kind, mouse.name, mouse.identity, mouse.is_made) == ("mouse", "mouse", "046d:c077", False)
    assert (made.name, made.is_made) == ("Karabiner", True)
    partition = {"Whole": False, "BSD Name": "disk0s1"}
    machine.entries["IOMedia"] = [*machine.entries["IOMedia"], partition]
    (disk,) = devices.disks(machine.api)
    assert (disk.place, disk.model, disk.is_removable) == ("disk0", "APPLE SSD AP0512Q", False)
    assert not [key for key in machine.keys_asked if "Serial" in key]


def test_a_mac_has_no_signs(machine: MacMachine) -> None:
    assert Surroundings(machine.api, ManualClock(), list).survey(Lockdown()) == ()


def test_signs_of_a_virtual_machine_a_remote_session_and_a_debugger(machine: MacMachine) -> None:
    machine.settings |= {"kern.hv_vmm_present": 1, "hw.model": "VMware7,1"}
    machine.traced.add(os.getppid())
    machine.session = {"kCGSSessionOnConsoleKey": False}
    found = {one.subject: one for one in Surroundings(machine.api, ManualClock(), list).survey(Lockdown())}
    assert set(found) == {Subject.VIRTUAL_MACHINE, Subject.REMOTE_SESSION, Subject.DEBUGGER}
    assert found[Subject.VIRTUAL_MACHINE].score > 900


def test_a_session_that_macos_says_nothing_of_is_not_called_remote(machine: MacMachine) -> None:
    machine.session = None
    assert Surroundings(machine.api, ManualClock(), lambda: ["TeamViewer"]).survey(Lockdown())
    assert Surroundings(machine.api, ManualClock(), lambda: ["Finder"]).survey(Lockdown()) == ()


def test_the_assertion_is_given_back_and_a_refusal_said(machine: MacMachine) -> None:
    guard = PowerAssertion(machine.api)
    guard.engage()
    guard.engage()
    assert len(machine.assertions) == 1
    guard.release()
    assert not machine.assertions
    machine.blind = True
    with pytest.raises(Unsupported, match="keep the screen on"):
        guard.engage()


# --- identities, and the whole -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """How ``codesign`` ended."""

    status: int = 0
    output: str = ""


@dataclass
class Codesign:
    """Stands in for the program: ``valid`` says whether signatures hold, ``requirement`` is what it prints."""

    requirement: str = ""
    valid: bool = True
    missing: bool = False
    commands: list[Sequence[str]] = field(default_factory=list)

    def __call__(self, command: Sequence[str], *, timeout_s: float = 5.0) -> Answer:
        if self.missing:
            raise unsupported("The program codesign is missing.")
        self.commands.append(command)
        if "--verify" in command:
            return Answer(status=0 if self.valid else 3)
        return Answer(output=self.requirement)


DEVELOPER = (
    'designated => anchor apple generic and identifier "com.philandro.anydesk" and (certificate leaf[field.1.2.840] '
    '/* exists */ or certificate leaf[subject.OU] = "9JZ56QSHQ4")\n'
)


@pytest.mark.parametrize(
    ("codesign", "signer"),
    [
        (Codesign(DEVELOPER), "9JZ56QSHQ4"),
        (Codesign('designated => identifier "com.apple.Safari" and anchor apple\n'), APPLE),
        (Codesign(DEVELOPER, valid=False), ""),
        (Codesign(missing=True), ""),
        (Codesign(""), ""),
    ],
)
def test_who_signed_it(codesign: Codesign, signer: str) -> None:
    assert team(codesign, "/Applications/x") == signer


def test_a_renamed_program_still_has_its_bundle_identifier_and_is_looked_at_once(tmp_path: Path) -> None:
    executable = tmp_path / "Homework.app" / "Contents" / "MacOS" / "homework"
    executable.parent.mkdir(parents=True)
    executable.write_bytes(b"")
    (executable.parents[1] / "Info.plist").write_bytes(plistlib.dumps({"CFBundleIdentifier": "com.philandro.anydesk"}))
    codesign = Codesign(DEVELOPER)
    identities = Identities(codesign)
    program = Program(pid=7, parent=1, created=0, name="homework", path=str(executable), user="me")
    found = identities.of(program)
    assert (found.original_name, found.signer) == ("com.philandro.anydesk", "9JZ56QSHQ4")
    assert identities.of(program) is found
    assert len(codesign.commands) == 2


@pytest.mark.parametrize("content", [b"", b"not a list", plistlib.dumps([]), plistlib.dumps({"CFBundleIdentifier": 7})])
def test_a_damaged_bundle_has_no_identifier(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "X.app" / "Contents"
    folder.mkdir(parents=True)
    (folder / "Info.plist").write_bytes(content)
    assert bundle_id(folder / "MacOS" / "x") == ""


def test_a_program_outside_a_bundle_has_no_identifier() -> None:
    assert bundle_id(Path("/usr/bin/vim")) == ""


def test_every_function_that_is_declared_is_called_somewhere_and_answered_by_the_machine() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in Path(desktop.__file__).parent.glob("*.py"))
    idle = [name for name in PROTOTYPES if f"api.{name}(" not in text]
    assert not idle
    assert not [name for name in PROTOTYPES if not hasattr(MacMachine, name)]
    named = {name for one in PROTOTYPES.values() for name in (one.result, *one.parameters)}
    assert named <= set(TYPES)
    assert set(TYPES) <= named, "a type that no function needs"


def test_where_there_is_no_macos_each_call_says_so() -> None:
    with pytest.raises(Unsupported, match="no CGWindowListCopyWindowInfo"):
        Functions().CGWindowListCopyWindowInfo(1, 0)
    with pytest.raises(AttributeError):
        Functions().NoSuchFunction()

"""The parts of Windows and macOS for the conformance suite, on computers that answer call by call."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Lockdown
from app.guard.examining import SurveyWatch
from lockdown.capabilities import Measure, Watch
from lockdown.environment.evidence import Survey
from lockdown.fake import FakeTable
from lockdown.macos.clipboard import EmptyPasteboard
from lockdown.macos.keyboard import KeyboardGuard as MacKeyboardGuard
from lockdown.macos.overlays import WindowList
from lockdown.macos.sleep import PowerAssertion
from lockdown.macos.surroundings import Displays as MacDisplays
from lockdown.macos.surroundings import Plugs as MacPlugs
from lockdown.macos.surroundings import Surroundings as MacSurroundings
from lockdown.macos.tap import EventTap
from lockdown.windows import constants as c
from lockdown.windows import keyboard
from lockdown.windows.clipboard import EmptyClipboard
from lockdown.windows.hook import KeyboardHook
from lockdown.windows.keyboard import KeyboardGuard
from lockdown.windows.overlays import TopLevelWindows
from lockdown.windows.sleep import PowerRequest
from lockdown.windows.surroundings import Displays, Plugs, Surroundings
from tests import macos_machine, windows_machine
from tests.capability_cases import MeasureCase, WatchCase
from tests.macos_machine import MacMachine
from tests.windows_machine import SHELL, WindowsMachine

STRANGER = 300
A_WHILE_S = 60.0


def _is_own(pid: int) -> bool:
    return pid == SHELL


def _programs() -> FakeTable:
    table = FakeTable()
    table.start("cluely", pid=STRANGER)
    return table


# --- measures ------------------------------------------------------------------------------------------------------


def _windows_keyboard() -> MeasureCase:
    machine = WindowsMachine()
    hotkeys = dict(machine.shortcuts)
    return MeasureCase(
        make=lambda: KeyboardGuard(machine.api, ManualClock(), KeyboardHook(machine.api)),
        state=lambda: (dict(machine.shortcuts), len(machine.hooks)),
        undone_by_somebody=lambda: machine.shortcuts.update(hotkeys),
        replayers={keyboard.UNDO_KIND: keyboard.replayer(machine.api)},
    )


def _windows_clipboard() -> MeasureCase:
    machine = WindowsMachine()
    machine.copy()
    # What was in it can't be given back, so the state is whether others may use it.
    guards: list[EmptyClipboard] = []

    def make() -> Measure:
        guards.append(EmptyClipboard(machine.api, FakeTable(), ManualClock(), _is_own))
        return guards[-1]

    return MeasureCase(
        make=make,
        state=lambda: any(guard.holds() for guard in guards),
        undone_by_somebody=machine.copy,
        replayers={},
        ends_with_process=True,
    )


def _windows_awake() -> MeasureCase:
    machine = WindowsMachine()
    return MeasureCase(
        make=lambda: PowerRequest(machine.api),
        state=lambda: {what for asked in machine.power_requests.values() for what in asked},
        undone_by_somebody=lambda: machine.power_requests.update({number: set() for number in machine.power_requests}),
        replayers={},
        ends_with_process=True,
    )


def _macos_keyboard() -> MeasureCase:
    machine = MacMachine()
    return MeasureCase(
        make=lambda: MacKeyboardGuard(EventTap(machine.api), ManualClock()),
        state=lambda: machine.tap_is_on,
        undone_by_somebody=lambda: setattr(machine, "tap_is_on", False),
        replayers={},
        ends_with_process=True,
    )


def _macos_clipboard() -> MeasureCase:
    machine = MacMachine(copied=1)
    guards: list[EmptyPasteboard] = []

    def make() -> Measure:
        guards.append(EmptyPasteboard(machine.api, ManualClock()))
        return guards[-1]

    return MeasureCase(
        make=make,
        state=lambda: any(guard.holds() for guard in guards),
        undone_by_somebody=lambda: setattr(machine, "copied", 1),
        replayers={},
        ends_with_process=True,
    )


def _macos_awake() -> MeasureCase:
    machine = MacMachine()
    return MeasureCase(
        make=lambda: PowerAssertion(machine.api),
        state=lambda: len(machine.assertions),
        undone_by_somebody=machine.assertions.clear,
        replayers={},
        ends_with_process=True,
    )


MEASURES: Mapping[str, Callable[[], MeasureCase]] = {
    "windows keyboard": _windows_keyboard,
    "windows clipboard": _windows_clipboard,
    "windows awake": _windows_awake,
    "macos keyboard": _macos_keyboard,
    "macos clipboard": _macos_clipboard,
    "macos awake": _macos_awake,
}


# --- watches -------------------------------------------------------------------------------------------------------


def _case(
    machine: WindowsMachine | MacMachine,
    watch: Watch,
    clock: ManualClock,
    happens: Callable[[], object],
    kind: IncidentKind,
    *,
    can_be_blind: bool = True,
) -> WatchCase:
    @contextmanager
    def provoke() -> Iterator[None]:
        happens()
        clock.advance(A_WHILE_S)
        yield

    def blind() -> None:
        machine.blind = True
        clock.advance(A_WHILE_S)

    return WatchCase(watch=watch, provoke=provoke, kind=kind, blind=blind if can_be_blind else None)


def _surveyed(survey: Survey, clock: ManualClock) -> Watch:
    watch = SurveyWatch(survey, Lockdown(), clock, lambda _concern: None)
    watch.begin()  # what is there at the start is listed once
    return watch


def _windows_windows() -> WatchCase:
    exam = windows_machine.FakeWindow(number=10, pid=SHELL)
    machine, clock = WindowsMachine(windows=[exam], foreground=10), ManualClock()
    overlay = windows_machine.FakeWindow(
        number=20, pid=STRANGER, style=c.WS_EX_TOPMOST, affinity=c.WDA_EXCLUDEFROMCAPTURE
    )
    watch = TopLevelWindows(machine.api, _programs(), clock, _is_own)
    kind = IncidentKind.WINDOW_OVER_EXAM
    return _case(machine, watch, clock, lambda: machine.windows.insert(0, overlay), kind)


def _windows_clipboard_watch() -> WatchCase:
    machine, clock = WindowsMachine(), ManualClock()
    watch = EmptyClipboard(machine.api, _programs(), clock, _is_own)
    watch.engage()
    return _case(machine, watch, clock, machine.copy, IncidentKind.CLIPBOARD, can_be_blind=False)


def _windows_displays() -> WatchCase:
    machine, clock = WindowsMachine(), ManualClock()
    second = windows_machine.FakeDisplay(title="DELL U2720Q", picture=1, target=2)
    watch = _surveyed(Displays(machine.api, clock), clock)
    return _case(machine, watch, clock, lambda: machine.displays.append(second), IncidentKind.DISPLAY_CHANGED)


def _windows_plugs() -> WatchCase:
    machine, clock = WindowsMachine(), ManualClock()
    stick = windows_machine.FakeDisk(vendor="SanDisk", product="Ultra", bus=c.ENUMERATED["BusTypeUsb"], removable=True)
    watch = _surveyed(Plugs(machine.api, clock), clock)
    return _case(machine, watch, clock, lambda: machine.disks.append(stick), IncidentKind.DEVICE_CHANGED)


def _windows_remote() -> WatchCase:
    machine, clock = WindowsMachine(), ManualClock()
    watch = _surveyed(Surroundings(machine.api, clock), clock)
    happens = lambda: machine.metrics.add(c.SM_REMOTESESSION)  # noqa: E731
    return _case(machine, watch, clock, happens, IncidentKind.REMOTE_SESSION)


def _macos_windows() -> WatchCase:
    machine, clock = MacMachine(windows=[macos_machine.FakeWindow(pid=SHELL)]), ManualClock()
    overlay = macos_machine.FakeWindow(pid=STRANGER, number=2, layer=25, alpha=0.8, sharing=0)
    watch = WindowList(machine.api, _programs(), clock, _is_own)
    kind = IncidentKind.WINDOW_OVER_EXAM
    return _case(machine, watch, clock, lambda: machine.windows.insert(0, overlay), kind)


def _macos_clipboard_watch() -> WatchCase:
    machine, clock = MacMachine(), ManualClock()
    watch = EmptyPasteboard(machine.api, clock)
    watch.engage()
    return _case(machine, watch, clock, lambda: setattr(machine, "copied", 2), IncidentKind.CLIPBOARD)


def _macos_displays() -> WatchCase:
    machine, clock = MacMachine(), ManualClock()
    second = macos_machine.FakeDisplay(number=2, vendor=0x10AC, model=0x4142, built_in=False, place=(1440, 0, 800, 600))
    watch = _surveyed(MacDisplays(machine.api, clock), clock)
    return _case(machine, watch, clock, lambda: machine.displays.append(second), IncidentKind.DISPLAY_CHANGED)


def _macos_plugs() -> WatchCase:
    machine, clock = MacMachine(), ManualClock()
    above = {"Protocol Characteristics": {"Physical Interconnect": "USB", "Physical Interconnect Location": "External"}}
    stick = {"Whole": True, "Removable": True, "BSD Name": "disk4", "Size": 32_010_928_128, "above": above}
    watch = _surveyed(MacPlugs(machine.api, clock), clock)
    happens = lambda: machine.entries["IOMedia"].append(stick)  # noqa: E731
    machine.entries = {name: list(entries) for name, entries in machine.entries.items()}
    return _case(machine, watch, clock, happens, IncidentKind.DEVICE_CHANGED)


def _macos_remote() -> WatchCase:
    machine, clock = MacMachine(), ManualClock()
    watch = _surveyed(MacSurroundings(machine.api, clock, list), clock)
    happens = lambda: setattr(machine, "session", {"kCGSSessionOnConsoleKey": False})  # noqa: E731
    return _case(machine, watch, clock, happens, IncidentKind.REMOTE_SESSION, can_be_blind=False)


WATCHES: Mapping[str, Callable[[], WatchCase]] = {
    "windows windows": _windows_windows,
    "windows clipboard": _windows_clipboard_watch,
    "windows displays": _windows_displays,
    "windows devices": _windows_plugs,
    "windows remote": _windows_remote,
    "macos windows": _macos_windows,
    "macos clipboard": _macos_clipboard_watch,
    "macos displays": _macos_displays,
    "macos devices": _macos_plugs,
    "macos remote": _macos_remote,
}

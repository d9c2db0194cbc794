"""What Windows offers, for ``lockdown.select``. Written, and tested call by call; never run on Windows by us."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

from app.contract.agreement import Allowance
from app.contract.errors import Unsupported
from app.contract.policy import Capability
from app.contract.times import Clock
from lockdown.births import Births, Polling
from lockdown.capabilities import HeldByShell, Part, Platform, Replay, RunExternal, Watch
from lockdown.closing import AskWindows
from lockdown.environment.gaps import by_two_clocks
from lockdown.processes import ProcessTable, PsutilTable
from lockdown.rules import Rules
from lockdown.shield import no_shield
from lockdown.unknown import WindowOwners
from lockdown.watch import Copies, NoCopies
from lockdown.windows import keyboard
from lockdown.windows.belonging import belongs_over_the_exam
from lockdown.windows.clipboard import EmptyClipboard
from lockdown.windows.combinations import SYSTEM_KEY
from lockdown.windows.functions import Api, Functions
from lockdown.windows.hook import KeyboardHook
from lockdown.windows.identity import Identities
from lockdown.windows.overlays import Owners, TopLevelWindows, ask_to_close
from lockdown.windows.sleep import PowerRequest
from lockdown.windows.surroundings import Displays, Plugs, Surroundings

NAME = "windows"
T = TypeVar("T")


def session_type() -> str:
    """Return the system's name: it has one kind of desktop session."""
    return NAME


def platform(
    *,
    run: RunExternal,
    table: ProcessTable,
    clock: Clock,
    processes: Watch,
    is_own: Callable[[int], bool],
    allowances: Collection[Allowance] = (),
) -> Platform:
    """Return what this desktop offers. ``processes`` is the watch of programs with the session's rules.

    ``allowances`` is what the candidate was granted.
    """
    return Platform(
        name=NAME,
        tier=tier(),
        parts={**parts(Functions(), table, clock, is_own, allowances), Capability.PROCESS_WATCH: processes},
        replayers=replayers(run),
        beside=((Capability.SLEEP_GUARD, by_two_clocks(clock)),),
    )


def parts(
    api: Api,
    table: ProcessTable,
    clock: Clock,
    is_own: Callable[[int], bool],
    allowances: Collection[Allowance] = (),
) -> Mapping[Capability, Part]:
    """Return every part but the watch of programs."""
    keys = frozenset({SYSTEM_KEY}) if Allowance.ACCESSIBILITY_KEYS in allowances else frozenset()
    return {
        Capability.KIOSK: HeldByShell(limit="The kiosk window was never tried on Windows."),
        Capability.INPUT_GUARD: _or_reason(lambda: keyboard.KeyboardGuard(api, clock, KeyboardHook(api, keys))),
        Capability.CLIPBOARD_GUARD: EmptyClipboard(api, table, clock, is_own),
        Capability.WINDOW_WATCH: TopLevelWindows(api, table, clock, is_own, belongs_over_the_exam),
        Capability.DISPLAY_WATCH: Displays(api, clock),
        Capability.REMOTE_WATCH: _or_reason(lambda: Surroundings(api, clock)),
        Capability.DEVICE_WATCH: Plugs(api, clock),
        Capability.SLEEP_GUARD: PowerRequest(api),
        **absent(),
    }


def tier() -> str:
    """Return how much this desktop lets us hold (docs/lockdown.md)."""
    return "C"


def doubts() -> tuple[str, ...]:
    """Return nothing: there is no kiosk session here that could be doubted."""
    return ()


def absent() -> Mapping[Capability, Unsupported]:
    """Return what is not there for certain, before anything is tried."""
    return {
        Capability.CAPTURE_SHIELD: no_shield("Hiding the exam from other recordings would hide it from Fairlock's own.")
    }


def replayers(run: RunExternal) -> Mapping[str, Replay]:
    """Return how to replay each kind of undo."""
    del run
    return {keyboard.UNDO_KIND: keyboard.replayer(Functions())}


def process_table(run: RunExternal) -> ProcessTable:
    """Return the running programs, and what each says it is."""
    del run
    return PsutilTable(Identities(Functions()).of)


def births() -> Births:
    """Return what tells of new programs: nothing does, the list is polled."""
    return Polling()


def copies(rules: Rules) -> Copies:
    """Return what knows the copies of prohibited programs: their original name gives them away."""
    del rules
    return NoCopies()


def window_owners() -> WindowOwners:
    """Return what knows which programs have a window."""
    return Owners(Functions())


def window_closer() -> AskWindows:
    """Return how to ask the windows of a program to close."""
    return partial(ask_to_close, Functions())


def _or_reason(make: Callable[[], T]) -> T | Unsupported:
    try:
        return make()
    except Unsupported as reason:
        return reason

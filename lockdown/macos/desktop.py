"""What macOS offers, for ``lockdown.select``. Written, and tested call by call; never run on macOS by us."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
from lockdown.macos.belonging import belongs_over_the_exam
from lockdown.macos.clipboard import EmptyPasteboard
from lockdown.macos.functions import Api, Functions
from lockdown.macos.identity import Identities
from lockdown.macos.keyboard import KeyboardGuard
from lockdown.macos.overlays import Owners, WindowList
from lockdown.macos.sleep import PowerAssertion
from lockdown.macos.surroundings import Displays, Plugs, Surroundings
from lockdown.macos.tap import EventTap
from lockdown.processes import ProcessTable, PsutilTable
from lockdown.rules import Rules
from lockdown.shield import no_shield
from lockdown.unknown import WindowOwners
from lockdown.watch import Copies, NoCopies

NAME = "macos"
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

    ``allowances`` is what the candidate was granted; the keys of assistive technology are free here in any case.
    """
    del allowances
    return Platform(
        name=NAME,
        tier=tier(),
        parts={**parts(Functions(), table, clock, is_own), Capability.PROCESS_WATCH: processes},
        replayers=replayers(run),
        beside=((Capability.SLEEP_GUARD, by_two_clocks(clock)),),
    )


def parts(api: Api, table: ProcessTable, clock: Clock, is_own: Callable[[int], bool]) -> Mapping[Capability, Part]:
    """Return every part but the watch of programs."""
    is_helper = belongs_over_the_exam(table.own_user())
    return {
        Capability.KIOSK: HeldByShell(limit="The kiosk window was never tried on macOS."),
        Capability.INPUT_GUARD: KeyboardGuard(EventTap(api), clock),
        Capability.CLIPBOARD_GUARD: EmptyPasteboard(api, clock),
        Capability.WINDOW_WATCH: WindowList(api, table, clock, is_own, is_helper),
        Capability.DISPLAY_WATCH: Displays(api, clock),
        Capability.REMOTE_WATCH: _or_reason(lambda: Surroundings(api, clock, partial(_names, table))),
        Capability.DEVICE_WATCH: Plugs(api, clock),
        Capability.SLEEP_GUARD: PowerAssertion(api),
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
    return {Capability.CAPTURE_SHIELD: no_shield("macOS lets recorders see windows that ask not to be shared.")}


def replayers(run: RunExternal) -> Mapping[str, Replay]:
    """Return nothing: all that is held here ends with its process."""
    del run
    return {}


def process_table(run: RunExternal) -> ProcessTable:
    """Return the running programs, and what each says it is."""
    return PsutilTable(Identities(run).of)


def births() -> Births:
    """Return what tells of new programs: nothing does, the list is polled."""
    return Polling()


def copies(rules: Rules) -> Copies:
    """Return what knows the copies of prohibited programs: their bundle identifier gives them away."""
    del rules
    return NoCopies()


def window_owners() -> WindowOwners:
    """Return what knows which programs have a window."""
    return Owners(Functions())


def window_closer() -> AskWindows:
    """Return how to ask a program's windows to close: it has none to ask, the polite signal closes them."""
    return lambda _program: False


def _names(table: ProcessTable) -> Sequence[str]:
    return [program.name for program in map(table.look, table.pids()) if program is not None]


def _or_reason(make: Callable[[], T]) -> T | Unsupported:
    try:
        return make()
    except Unsupported as reason:
        return reason

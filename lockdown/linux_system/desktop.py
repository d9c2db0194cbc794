"""Puts the parts together that every Linux desktop has, for ``lockdown.select`` and for those that say more."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from app.contract.errors import Unsupported
from app.contract.policy import Capability
from app.contract.times import Clock
from app.external import find_program, hold_external
from lockdown.capabilities import Measure, Part, Watch
from lockdown.environment.gaps import GapWatch
from lockdown.linux_system.awake import Awake, Inhibitor, inhibitors
from lockdown.linux_system.drm import read_screens
from lockdown.linux_system.parts import KernelDisplays, Plugs, Surroundings, WindowSystem
from lockdown.linux_system.rest import LidWatch, read_clocks
from lockdown.linux_system.roots import Roots
from lockdown.linux_system.screen_saver import Asked, savers

IsOwn = Callable[[int], bool]


def parts(
    clock: Clock, is_own: IsOwn, keep: Callable[[Callable[[], None]], object], *, has_window_system: bool
) -> Mapping[Capability, Part]:
    """Return what needs only the kernel and the login manager; ``keep`` takes what closes them at the end.

    With a window system that says more about remote control, displays and sleep, its own parts replace these.
    """
    plugs = Plugs(clock)
    keep(plugs.close)
    found: dict[Capability, Part] = {Capability.DEVICE_WATCH: plugs}
    if not has_window_system:
        found[Capability.REMOTE_WATCH] = surroundings(clock, is_own, None)
        found[Capability.DISPLAY_WATCH] = lacking().get(Capability.DISPLAY_WATCH) or KernelDisplays(clock)
        found[Capability.SLEEP_GUARD] = awake({})
    return found


def lacking() -> Mapping[Capability, Unsupported]:
    """Return which of its capabilities this kernel does not have, before anything is tried."""
    try:
        read_screens(Roots())
    except Unsupported as reason:
        return {Capability.DISPLAY_WATCH: reason}
    return {}


def surroundings(clock: Clock, is_own: IsOwn, window_system: WindowSystem | None) -> Part:
    """Return the search for remote control and the like, with what the window system knows if there is one."""
    return Surroundings(clock, is_own, window_system)


def awake(measures: Mapping[str, Measure | Unsupported]) -> Part:
    """Return ``measures`` and those of the login manager and the desktop, as one.

    A screen saver is asked where one runs; GNOME and MATE may then be asked twice, which changes nothing.
    """
    programs = inhibitors(hold_external, lambda name: find_program(name) is not None)
    on_the_bus = {
        f"the screen saver {saver.name}": Inhibitor(partial(Asked, saver, os.environ)) for saver in savers(os.environ)
    }
    return Awake({**measures, **programs, **on_the_bus})


def rest_watches(clock: Clock) -> Sequence[Watch]:
    """Return the watches over sleep, a stopped Fairlock, the wall clock and the lid."""
    return GapWatch(lambda: read_clocks(clock)), LidWatch()

"""Puts the parts of a kiosk session together: those of X11, but for what the compositor itself holds or hides."""

import os
from collections.abc import Mapping, Sequence

from app.contract.policy import Capability
from app.contract.times import Clock
from lockdown.capabilities import HeldByShell, Part, Watch
from lockdown.linux_kiosk.company import CompanyWatch
from lockdown.linux_system.desktop import lacking
from lockdown.linux_system.parts import KernelDisplays
from lockdown.processes import ProcessTable


def parts(of_x11: Mapping[Capability, Part], clock: Clock) -> Mapping[Capability, Part]:
    """Return every part but the watch of programs; ``of_x11`` are those of the X server below the compositor.

    The compositor itself handles no key combination, and does not switch consoles unless it is told to (``-s``). Its X
    server takes the key map from it, so that taking the keys out of that map would say more than it does. That server
    names all displays after itself; what is plugged in, the kernel knows.
    """
    held = {**of_x11, Capability.INPUT_GUARD: HeldByShell()}
    if Capability.DISPLAY_WATCH not in lacking():
        held[Capability.DISPLAY_WATCH] = KernelDisplays(clock)
    return held


def beside(table: ProcessTable) -> Sequence[tuple[Capability, Watch]]:
    """Return the watches that belong to a capability beside its part."""
    return ((Capability.PROCESS_WATCH, CompanyWatch(os.getpid(), table)),)

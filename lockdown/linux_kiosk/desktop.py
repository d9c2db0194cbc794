"""Puts the parts of a kiosk session together: those of X11, but for what the compositor itself holds."""

from collections.abc import Mapping

from app.contract.policy import Capability
from lockdown.capabilities import HeldByShell, Part


def parts(of_x11: Mapping[Capability, Part]) -> Mapping[Capability, Part]:
    """Return every part but the watch of programs; ``of_x11`` are those of the X server below the compositor.

    The compositor itself handles no key combination, and does not switch consoles unless it is told to (``-s``). Its X
    server takes the key map from it, so that taking the keys out of that map would say more than it does.
    """
    return {**of_x11, Capability.INPUT_GUARD: HeldByShell()}

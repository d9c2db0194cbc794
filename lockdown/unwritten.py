"""What a system whose backend is still to be written offers: the shell's window, and a reason for all the rest.

Programs are watched and closed on every system (``lockdown.watch``, ``lockdown.closing``).
"""

from collections.abc import Mapping

from app.contract.policy import Capability
from lockdown.capabilities import HeldByShell, Part, unsupported


def parts_of(system: str, *, input_guard: str, clipboard_guard: str) -> Mapping[Capability, Part]:
    """Return the parts of ``system``, a name people know; the two guards are called as that system calls them."""
    missing = {
        Capability.INPUT_GUARD: input_guard,
        Capability.CLIPBOARD_GUARD: clipboard_guard,
        Capability.WINDOW_WATCH: "The watch of windows",
        Capability.DISPLAY_WATCH: "The watch of displays",
        Capability.REMOTE_WATCH: "The search for remote control",
        Capability.DEVICE_WATCH: "The watch of devices",
        Capability.CAPTURE_SHIELD: "Excluding the window from recording",
        Capability.SLEEP_GUARD: "Keeping the screen on",
    }
    lacking = {name: unsupported(f"{what} is not written for {system} yet.") for name, what in missing.items()}
    return {Capability.KIOSK: HeldByShell(limit=f"The kiosk window was never tested on {system}."), **lacking}

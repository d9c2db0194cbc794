"""Lockdown on Windows: little of it is written yet, and each capability says so.

Programs are watched and closed on every system (``lockdown.watch``, ``lockdown.closing``).
"""

from collections.abc import Mapping

from app.contract.policy import Capability
from lockdown.capabilities import HeldByShell, Part, unsupported


def parts() -> Mapping[Capability, Part]:
    """Return the shell's window, and the reason for each capability that is missing."""
    reasons = {
        Capability.INPUT_GUARD: "The keyboard hook",
        Capability.CLIPBOARD_GUARD: "The clipboard guard",
        Capability.WINDOW_WATCH: "The watch of windows",
        Capability.DISPLAY_WATCH: "The watch of displays",
        Capability.REMOTE_WATCH: "The search for remote control",
        Capability.DEVICE_WATCH: "The watch of devices",
        Capability.CAPTURE_SHIELD: "Excluding the window from recording",
        Capability.SLEEP_GUARD: "Keeping the screen on",
    }
    lacking = {name: unsupported(f"{reason} is not written for Windows yet.") for name, reason in reasons.items()}
    return {Capability.KIOSK: HeldByShell(limit="The kiosk window was never tested on Windows."), **lacking}

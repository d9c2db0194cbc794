"""Lockdown on a Wayland desktop (tier C): the protocol lets no program see or hold what others do.

Only a session of our own (tier A) or X11 (tier B) can; until there is one, each capability says so.
"""

from collections.abc import Mapping

from app.contract.policy import Capability
from lockdown.capabilities import Part, unsupported

_ADVICE = "Log out, choose the X11 (Xorg) session on the login screen, and log in again."


def parts() -> Mapping[Capability, Part]:
    """Return the reason for each capability that is missing."""
    reasons = {
        Capability.KIOSK: "Wayland lets no window keep itself on top.",
        Capability.INPUT_GUARD: "Wayland has no key grab; a shortcut inhibitor is only a request.",
        Capability.CLIPBOARD_GUARD: "Wayland gives the clipboard only to the window with the focus.",
        Capability.WINDOW_WATCH: "Wayland shows no program the windows of others.",
        Capability.DISPLAY_WATCH: "The watch of displays is not written for Wayland yet.",
        Capability.REMOTE_WATCH: "The search for remote control is not written yet.",
        Capability.DEVICE_WATCH: "The watch of devices is not written yet.",
        Capability.CAPTURE_SHIELD: "Wayland has no protection from recording; each recording asks the user.",
        Capability.SLEEP_GUARD: "Keeping the screen on is not written for Wayland yet.",
    }
    return {name: unsupported(reason, _ADVICE) for name, reason in reasons.items()}

"""Lockdown on a Wayland desktop (tier C): the protocol lets no program see or hold what others do.

Only a session of our own (tier A) or X11 (tier B) can. What needs no more than the kernel and the login manager
(``lockdown.linux_system``) works here as well.
"""

from collections.abc import Mapping

from app.contract.policy import Capability
from lockdown.capabilities import Part, unsupported
from lockdown.shield import no_shield

_ADVICE = "Log out, choose the X11 (Xorg) session on the login screen, and log in again."


def parts() -> Mapping[Capability, Part]:
    """Return the reason for each capability that Wayland itself denies."""
    reasons = {
        Capability.KIOSK: "Wayland lets no window keep itself on top.",
        Capability.INPUT_GUARD: "Wayland has no key grab; a shortcut inhibitor is only a request.",
        Capability.CLIPBOARD_GUARD: "Wayland gives the clipboard only to the window with the focus.",
        Capability.WINDOW_WATCH: "Wayland shows no program the windows of others.",
    }
    shield = no_shield("Wayland has no protection from recording; each recording asks the user.")
    return {Capability.CAPTURE_SHIELD: shield, **{what: unsupported(why, _ADVICE) for what, why in reasons.items()}}

"""Lockdown on macOS: little of it is written yet, and each capability says so."""

from collections.abc import Mapping

from app.contract.policy import Capability
from lockdown.capabilities import Part
from lockdown.unwritten import parts_of


def parts() -> Mapping[Capability, Part]:
    """Return the shell's window, and the reason for each capability that is missing."""
    return parts_of("macOS", input_guard="The event tap", clipboard_guard="The pasteboard guard")

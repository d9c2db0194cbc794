"""Hiding the exam from other recorders: no desktop offers it in a way that serves, and each says why. Pure."""

from app.contract.errors import Unsupported
from lockdown.capabilities import unsupported

_ADVICE = "No computer can do this: ask your institution to take capture_shield out of what this exam requires."


def no_shield(reason: str) -> Unsupported:
    """Return what a desktop answers that can't hide the exam, for this ``reason``."""
    return unsupported(reason, _ADVICE)

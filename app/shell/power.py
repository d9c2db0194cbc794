"""The battery's charge, for the bar. Read-only; GUI thread, a few microseconds per call."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """``percent`` from 0 to 100."""

    percent: int
    plugged: bool


def battery() -> Battery | None:
    """Return the battery's state, or ``None`` on a computer without one."""
    try:
        found = psutil.sensors_battery()
    except (OSError, RuntimeError):
        return None
    if found is None:
        return None
    return Battery(percent=round(found.percent), plugged=found.power_plugged is not False)

"""Reads which displays are connected from ``/sys/class/drm``: on every desktop, without asking it.

What each shows and where it stands is the compositor's knowledge, so mirrored displays are not seen here.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from lockdown.capabilities import unsupported
from lockdown.environment import edid
from lockdown.environment.displays import Screen
from lockdown.linux_system.roots import Roots, entries, text

_CONNECTOR = re.compile(r"^card\d+-(.+)$")


def read_screens(roots: Roots) -> Sequence[Screen]:
    """Return the displays that are connected and lit. Raises ``Unsupported`` without a graphics driver."""
    connectors = [entry for entry in entries(roots.sys / "class/drm") if _CONNECTOR.match(entry.name)]
    if not connectors:
        raise unsupported("The kernel names no displays here.", "Use a computer with a graphics driver.")
    return [_screen(entry) for entry in connectors if _is_lit(entry)]


def _is_lit(connector: Path) -> bool:
    return text(connector / "status") == "connected" and text(connector / "enabled") != "disabled"


def _screen(connector: Path) -> Screen:
    try:
        said = edid.parse((connector / "edid").read_bytes())
    except OSError:
        said = None
    name = _CONNECTOR.sub(r"\1", connector.name)
    return Screen(
        connector=name,
        title=said.title if said is not None else "",
        place=text(connector / "modes")[:40].split("\n")[0],
    )

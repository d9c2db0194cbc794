"""Asks the system whether its network is paid by volume, as a phone's hotspot is. Changes nothing, sends nothing.

On most Linux desktops NetworkManager knows: its property ``Metered``, read with systemd's ``busctl``. Called from a
thread that may wait for the answer. What Windows and macOS know is not asked yet: there nobody knows, and no policy
makes anybody wait.
"""

from collections.abc import Sequence
from typing import Protocol

from app.contract.errors import Unsupported
from app.external import run_external

SYSTEM_BUS: tuple[str, ...] = ("--system",)
_NETWORK_MANAGER = "org.freedesktop.NetworkManager"
_ANSWERS = {"u 1": True, "u 2": False, "u 3": True, "u 4": False}
"""``NMMetered``: 1 yes, 2 no, 3 probably yes, 4 probably no; 0 is not known."""


class Metering(Protocol):
    """Who knows what the network costs."""

    def is_metered(self) -> bool | None:
        """Return whether it is paid by volume, ``None`` where nobody knows."""
        ...


class NetworkManager:
    """Linux's NetworkManager, on the bus that ``bus`` names in ``busctl``'s words."""

    def __init__(self, bus: Sequence[str] = SYSTEM_BUS) -> None:
        self._question = [
            *("busctl", *bus, "--auto-start=no", "get-property"),
            *(_NETWORK_MANAGER, "/org/freedesktop/NetworkManager", _NETWORK_MANAGER, "Metered"),
        ]

    def is_metered(self) -> bool | None:
        """As in ``Metering``; nobody knows where there is no NetworkManager, or no ``busctl``."""
        try:
            answer = run_external(self._question)
        except Unsupported:
            return None
        return _ANSWERS.get(answer.output.strip()) if answer.status == 0 else None

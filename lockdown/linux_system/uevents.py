"""The kernel's own events about devices (netlink, group 1): whether something was plugged in or out since last time.

Only the kinds of devices are looked at. Where the socket is not to be had, the answer is that nobody knows.
"""

import socket
from collections.abc import Iterable

_KOBJECT_UEVENT = 15  # linux/netlink.h
_KERNEL_GROUP = 1
_MOST_BYTES = 16_384
_MOST_EVENTS = 1_000


class DeviceEvents:
    """Hears of devices of the kinds ``subsystems`` ("block", "input"). One thread at a time."""

    def __init__(self, subsystems: Iterable[str]) -> None:
        self._wanted = frozenset(f"SUBSYSTEM={name}".encode() for name in subsystems)
        self._socket = _connect()

    @property
    def is_listening(self) -> bool:
        """Whether events arrive; without them one has to look."""
        return self._socket is not None

    def happened(self) -> bool:
        """Whether something happened since the last call; also when events were lost."""
        found = False
        for _ in range(_MOST_EVENTS):
            if self._socket is None:
                return True
            try:
                event = self._socket.recv(_MOST_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return found
            except OSError:  # ENOBUFS: more events than the kernel keeps for us
                return True
            found = found or bool(self._wanted & set(event.split(b"\0")))
        return found

    def close(self) -> None:
        """Hear no more. Idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _connect() -> socket.socket | None:
    try:
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _KOBJECT_UEVENT)
    except (AttributeError, OSError):
        return None
    try:
        made.bind((0, _KERNEL_GROUP))
    except OSError:
        made.close()
        return None
    return made

"""Reads at which ports of remote control somebody waits or is connected: ``/proc/net/tcp``. Nothing is sent."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lockdown.environment.remote import PORTS, Port
from lockdown.linux_system.roots import Roots, entries, text

_CONNECTED, _WAITING = "01", "0A"
_ROWS = re.compile(rf"^.*:(?:{'|'.join(f'{port:04X}' for port in PORTS)}) .*$", re.MULTILINE)
"""Rows that name such a port at either end; a busy computer has thousands of others."""


def read_ports(roots: Roots, is_own: Callable[[int], bool]) -> Sequence[Port]:
    """Return the ports of ``PORTS`` in use, our own processes' left out; who uses them where that can be seen."""
    found = [row for name in ("tcp", "tcp6") for row in _ROWS.findall(text(roots.proc / "net" / name))]
    uses = {use for row in found if (use := _use(row)) is not None}
    owners = _owners(roots, frozenset(inode for _, _, inode in uses)) if uses else {}
    return sorted(
        {
            Port(number=number, program=owners[inode][1] if inode in owners else "", is_connected=is_connected)
            for number, is_connected, inode in uses
            if inode not in owners or not is_own(owners[inode][0])
        },
        key=lambda port: (port.number, port.program, port.is_connected),
    )


def _use(row: str) -> tuple[int, bool, str] | None:
    """Return port, whether connected, and the socket's inode, if ``row`` is about a port of remote control."""
    fields = row.split()
    if len(fields) < 10 or fields[3] not in (_CONNECTED, _WAITING):
        return None
    ends = [int(address.rpartition(":")[2], 16) for address in fields[1:3]]
    # A connection counts at both ends: some programs call out.
    for port in ends if fields[3] == _CONNECTED else ends[:1]:
        if port in PORTS:
            return port, fields[3] == _CONNECTED, fields[9]
    return None


def _owners(roots: Roots, inodes: frozenset[str]) -> Mapping[str, tuple[int, str]]:
    """Return process id and program of the sockets ``inodes``; those of other users stay unknown."""
    owners: dict[str, tuple[int, str]] = {}
    for process in entries(roots.proc):
        if process.name.isdigit():
            for descriptor in entries(process / "fd"):
                inode = _socket(descriptor)
                if inode in inodes:
                    owners[inode] = (int(process.name), program_name(process))
    return owners


def _socket(descriptor: Path) -> str:
    try:
        match = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
    except OSError:
        return ""
    return match[1] if match is not None else ""


def program_name(process: Path) -> str:
    """Return the name of the executable of ``process`` (a folder in ``/proc``), or what the kernel calls it."""
    try:
        return (process / "exe").readlink().name.removesuffix(" (deleted)")
    except OSError:
        return text(process / "comm")

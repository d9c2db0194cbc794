"""Reads which storage, keyboards and mice are there: ``/sys/block`` and ``/proc/bus/input/devices``.

No device is opened. Phones that show themselves as cameras or media players (PTP, MTP) and network drives are no
disks for the kernel and are not seen.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lockdown.environment.plugs import InputDevice, Storage
from lockdown.linux_system.hardware import bus_of
from lockdown.linux_system.roots import Roots, entries, real, text

_SECTOR_BYTES = 512
_NO_DISKS = re.compile(r"^(loop|ram|zram|dm-|md|fd)\d*")
_FIELD = re.compile(r"^(?:[A-Z]: )?(\w+)=(.*)$")
_LETTERS = 0x3FF0000  # KEY_Q (16) to KEY_P (25): a keyboard has them, a power button does not
_BUSES = {"0003": "USB", "0005": "Bluetooth", "0011": "built in", "0018": "built in", "0019": "built in"}


def read_storage(roots: Roots) -> Sequence[Storage]:
    """Return every disk, stick and card that has something in it."""
    disks = (disk for disk in entries(roots.sys / "block") if not _NO_DISKS.match(disk.name))
    return [found for disk in disks if (found := _storage(disk)) is not None]


def _storage(disk: Path) -> Storage | None:
    sectors = text(disk / "size")
    if not sectors.isdigit() or sectors == "0":
        return None  # a card reader or drive with nothing in it
    folder = real(disk)
    names = [text(disk / "device" / name) for name in ("vendor", "model", "name")]
    return Storage(
        place=disk.name,
        # A virtio disk has its number here, an ATA disk the name of its bus.
        model=" ".join(" ".join(name for name in names if name != "ATA" and not name.startswith("0x")).split()),
        size=int(sectors) * _SECTOR_BYTES,
        bus=bus_of(folder),
        is_removable=_is_removable(disk, folder),
    )


def _is_removable(disk: Path, folder: str) -> bool:
    """USB and FireWire always; a card that is not soldered in; what the kernel calls removable (Thunderbolt)."""
    if bus_of(folder) in ("USB", "FireWire"):
        return True
    if disk.name.startswith("mmcblk"):
        return text(disk / "device/type") != "MMC"
    if text(disk / "removable") == "1":
        return True
    return any(text(parent / "removable") == "removable" for parent in Path(folder).parents)


def read_inputs(roots: Roots) -> Sequence[InputDevice]:
    """Return every keyboard and mouse; buttons, lids and sensors are left out. Raises ``OSError`` if it can't look."""
    blocks = (roots.proc / "bus/input/devices").read_text(encoding="utf-8", errors="replace").split("\n\n")
    return [found for block in blocks if (found := _input(block)) is not None]


def _input(block: str) -> InputDevice | None:
    fields = dict(_fields(block))
    kind = _kind(fields)
    if kind is None:
        return None
    folder = fields.get("Sysfs", "")
    return InputDevice(
        kind=kind,
        name=fields.get("Name", "").strip('"') or kind,
        identity=f"{fields.get('Vendor', '')}:{fields.get('Product', '')}",
        bus=_BUSES.get(fields.get("Bus", ""), "other"),
        place=folder.rpartition("/")[2],
        # A Bluetooth keyboard is below "virtual" too, but its driver is "uhid".
        is_made=folder.startswith("/devices/virtual/input/"),
    )


def _fields(block: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        # "I: Bus=0003 Vendor=046d Product=c31c Version=0110" holds four, the other lines one.
        for part in line[3:].split(" ") if line.startswith("I: ") else [line]:
            if field := _FIELD.match(part):
                yield field[1], field[2]


def _kind(fields: dict[str, str]) -> str | None:
    handlers = fields.get("Handlers", "").split()
    words = fields.get("KEY", "").split()
    keys = int(words[-1], 16) if words and re.fullmatch(r"[0-9a-f]+", words[-1]) else 0
    if "kbd" in handlers and keys & _LETTERS == _LETTERS:
        return "keyboard"
    return "mouse" if any(handler.startswith("mouse") for handler in handlers) else None

"""Reads what the computer says about itself: firmware, buses, network adapters, disks, processor."""

import re

from lockdown.environment.machine import Hardware
from lockdown.linux_system.roots import Roots, entries, text

_FIRMWARE = (
    "sys_vendor",
    "product_name",
    "board_vendor",
    "board_name",
    "bios_vendor",
    "bios_version",
    "chassis_vendor",
)
_FLAGS = re.compile(r"^(?:flags|Features)\s*:(.*)$", re.MULTILINE)
_PROCESSOR = re.compile(r"^model name\s*:(.*)$", re.MULTILINE)


def read_hardware(roots: Roots) -> Hardware:
    """Return what can be read of this computer; what can't is empty."""
    processors = text(roots.proc / "cpuinfo")
    flags, processor = _FLAGS.search(processors), _PROCESSOR.search(processors)
    firmware = [text(roots.sys / "class/dmi/id" / name) for name in _FIRMWARE]
    disks = [_disk(text(disk / "device/vendor"), text(disk / "device/model")) for disk in entries(roots.sys / "block")]
    return Hardware(
        hypervisor_bit=flags is not None and "hypervisor" in flags[1].split(),
        firmware=tuple(name for name in firmware if name),
        pci=tuple(
            f"{_hex(text(device / 'vendor'))}:{_hex(text(device / 'device'))}"
            for device in entries(roots.sys / "bus/pci/devices")
        ),
        virtio=bool(entries(roots.sys / "bus/virtio/devices")),
        macs=tuple(
            text(adapter / "address")
            for adapter in entries(roots.sys / "class/net")
            if (adapter / "device").exists()  # hardware, not a bridge of a hypervisor that runs here
        ),
        disks=tuple(name for name in disks if name),
        processor=processor[1].strip() if processor is not None else "",
        has_sensors=_has_sensors(roots),
    )


def _has_sensors(roots: Roots) -> bool:
    batteries = (supply for supply in entries(roots.sys / "class/power_supply") if text(supply / "type") == "Battery")
    zones = (zone for zone in entries(roots.sys / "class/thermal") if zone.name.startswith("thermal_zone"))
    return any(batteries) or any(zones) or bool(entries(roots.sys / "class/hwmon"))


def _disk(vendor: str, model: str) -> str:
    return " ".join(f"{vendor} {model}".split())


def _hex(number: str) -> str:
    return number.removeprefix("0x")


def bus_of(path: str) -> str:
    """Return the name people know of the bus that a device's folder ``path`` in ``/sys/devices`` is on."""
    for part, name in (("/uhid/", "Bluetooth"), ("/usb", "USB"), ("/mmc", "card slot"), ("/firewire", "FireWire")):
        if part in path:
            return name
    for part, name in (("/serio", "built in"), ("/i2c-", "built in"), ("/nvme", "NVMe"), ("/ata", "SATA")):
        if part in path:
            return name
    return "virtual" if "/devices/virtual/" in path else "built in"

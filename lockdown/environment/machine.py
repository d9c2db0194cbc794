"""Signs that the computer is a virtual machine. Pure; ``Hardware`` is read elsewhere, on each system in its own way.

A laptop with Windows 11 runs its own system under a hypervisor (VBS, Hyper-V), carries Hyper-V's network adapters and
may have a disk image mounted. These signs together must stay below the policy's usual least score of 600: the tests
hold real laptops to that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lockdown.environment.evidence import Evidence, Signal, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What the computer says about itself. Whatever can't be read is left empty.

    ``firmware`` is what SMBIOS says (maker, product, board, BIOS), ``pci`` are "vendor:device" in lower-case hex,
    ``macs`` the addresses of network adapters that are hardware (no bridges, no host-side adapters of a hypervisor).
    ``has_sensors`` is whether anything measures a temperature or a charge; ``None`` if that is not known.
    """

    hypervisor_bit: bool = False
    firmware: tuple[str, ...] = ()
    pci: tuple[str, ...] = ()
    virtio: bool = False
    macs: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    processor: str = ""
    has_sensors: bool | None = None


_PRODUCTS = re.compile(
    r"virtualbox|vmware|\bqemu\b|\bkvm\b|bochs|innotek|parallels virtual|\bbhyve\b|\bxen\b|domu\b|openstack|"
    r"standard pc \((q35|i440fx)|google compute engine|amazon ec2|droplet|alibaba cloud ecs|apple virtualization|"
    r"^virtual machine$|hyper-v|\bvmxnet|\bvmw?\d+\.\d{2}|cloud hypervisor|firecracker",
    re.IGNORECASE,
)
_FIRMWARE_OF_MANY = re.compile(r"seabios|\bovmf\b|^edk ii$|^ubuntu ovmf", re.IGNORECASE)

_PCI_VENDORS = {
    "1af4": "virtio devices (QEMU, KVM)",
    "1b36": "a QEMU device",
    "1234": "QEMU's graphics card",
    "15ad": "a VMware device",
    "80ee": "a VirtualBox device",
    "1ab8": "a Parallels device",
    "5853": "a Xen device",
}
_HYPERV_GRAPHICS = "1414:5353"

_MAC_PREFIXES = {
    "52:54:00": "QEMU",
    "08:00:27": "VirtualBox",
    "00:05:69": "VMware",
    "00:0c:29": "VMware",
    "00:1c:14": "VMware",
    "00:50:56": "VMware",
    "00:1c:42": "Parallels",
    "00:16:3e": "Xen",
    "00:15:5d": "Hyper-V",
}
_DISKS = re.compile(r"qemu|vbox|vmware|parallels|xen virtual", re.IGNORECASE)
_DISK_IMAGE = re.compile(r"^msft\s+virtual disk|^virtual disk$", re.IGNORECASE)
_PROCESSORS = re.compile(r"qemu virtual|common kvm|virtualapple|^virtual", re.IGNORECASE)


def signs_of_virtual_machine(hardware: Hardware) -> Evidence | None:
    """Return the signs of a virtual machine, or ``None`` if there is none."""
    signals = tuple(_signals(hardware))
    return Evidence(subject=Subject.VIRTUAL_MACHINE, signals=signals) if signals else None


def _signals(hardware: Hardware) -> Iterator[Signal]:
    if hardware.hypervisor_bit:
        yield Signal(says="the processor reports a hypervisor (laptops with Hyper-V do too)", weight=300)
    yield from _firmware(hardware.firmware)
    yield from _buses(hardware)
    for name in sorted({_MAC_PREFIXES[mac[:8]] for mac in _lower(hardware.macs) if mac[:8] in _MAC_PREFIXES}):
        yield Signal(says=f"a network adapter has an address of {name}", weight=250)
    for model in sorted({model.strip() for model in hardware.disks if _DISKS.search(model)}):
        yield Signal(says=f'a disk is called "{model}"', weight=600)
    if any(_DISK_IMAGE.search(model.strip()) for model in hardware.disks):
        yield Signal(says="a disk is a disk image (mounted ones look the same)", weight=200)
    if _PROCESSORS.search(hardware.processor.strip()):
        yield Signal(says=f'the processor is called "{hardware.processor.strip()}"', weight=600)
    if hardware.has_sensors is False:
        yield Signal(says="nothing measures a temperature or a charge", weight=150)


def _firmware(texts: tuple[str, ...]) -> Iterator[Signal]:
    """At most one strong and one weak sign: the fields of SMBIOS are not independent of each other."""
    for text in texts:
        if _PRODUCTS.search(text.strip()):
            yield Signal(says=f'the firmware says "{text.strip()}"', weight=800)
            break
    for text in texts:
        if _FIRMWARE_OF_MANY.search(text.strip()):
            yield Signal(says=f'the firmware is "{text.strip()}" (some real computers have it)', weight=300)
            break


def _buses(hardware: Hardware) -> Iterator[Signal]:
    vendors = {identity.partition(":")[0] for identity in _lower(hardware.pci)} & _PCI_VENDORS.keys()
    if hardware.virtio:
        vendors |= {"1af4"}
    for vendor in sorted(vendors):
        yield Signal(says=f"it has {_PCI_VENDORS[vendor]}", weight=700)
    if _HYPERV_GRAPHICS in _lower(hardware.pci):
        yield Signal(says="it has Hyper-V's graphics card", weight=600)


def _lower(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.lower().replace("-", ":") for text in texts)

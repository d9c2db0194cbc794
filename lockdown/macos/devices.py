"""What is plugged in, as the I/O registry names it: keyboards, mice, disks. None is opened, no serial number read."""

import ctypes
from collections.abc import Iterator, Sequence

from lockdown.capabilities import unsupported
from lockdown.environment.plugs import InputDevice, Storage
from lockdown.macos.core import released, text, value, value_of
from lockdown.macos.functions import Api

_DONE = 0  # kIOReturnSuccess
_DESKTOP_PAGE = 1  # kHIDPage_GenericDesktop
_KINDS = {2: "mouse", 6: "keyboard"}  # kHIDUsage_GD_Mouse, kHIDUsage_GD_Keyboard
_UPWARDS = 3  # kIORegistryIterateRecursively | kIORegistryIterateParents
_BUILT_IN = ("SPI", "FIFO", "I2C")
_PLUGGED = ("USB", "Secure Digital", "FireWire", "Thunderbolt")


def keyboards_and_mice(api: Api) -> Sequence[InputDevice]:
    """Return every keyboard and mouse. Raises ``Unsupported``."""
    return [found for entry in services(api, "IOHIDDevice") if (found := _input(api, entry)) is not None]


def disks(api: Api) -> Sequence[Storage]:
    """Return every whole disk, stick and card, disk images included. Raises ``Unsupported``."""
    return [found for entry in services(api, "IOMedia") if (found := _disk(api, entry)) is not None]


def services(api: Api, kind: str) -> Iterator[int]:
    """Yield the registry's entries of a class, each valid until the next. Raises ``Unsupported``."""
    entries = ctypes.c_uint32()
    # What IOServiceMatching makes, the next call takes and gives back.
    if api.IOServiceGetMatchingServices(0, api.IOServiceMatching(kind.encode()), ctypes.byref(entries)) != _DONE:
        raise unsupported("macOS does not say which devices there are.", "Start Fairlock again.")
    try:
        while entry := api.IOIteratorNext(entries.value):
            try:
                yield entry
            finally:
                api.IOObjectRelease(entry)
    finally:
        if entries.value:
            api.IOObjectRelease(entries.value)


def _input(api: Api, entry: int) -> InputDevice | None:
    if _property(api, entry, "PrimaryUsagePage") != _DESKTOP_PAGE:
        return None
    kind = _KINDS.get(_whole(_property(api, entry, "PrimaryUsage")))
    if kind is None:
        return None
    bus = str(_property(api, entry, "Transport") or "")
    vendor, product = (_whole(_property(api, entry, name)) for name in ("VendorID", "ProductID"))
    return InputDevice(
        kind=kind,
        name=str(_property(api, entry, "Product") or kind),
        identity=f"{vendor:04x}:{product:04x}",
        bus="built in" if bus in _BUILT_IN else bus or "none",
        place=f"{_whole(_property(api, entry, 'LocationID')):x}",
        is_made=bus in ("", "Virtual"),
    )


def _disk(api: Api, entry: int) -> Storage | None:
    if not _property(api, entry, "Whole"):
        return None  # a partition of one
    bus, is_inside = _above(
        api, entry, "Protocol Characteristics", "Physical Interconnect", "Physical Interconnect Location"
    )
    vendor, product = _above(api, entry, "Device Characteristics", "Vendor Name", "Product Name")
    removable = bool(_property(api, entry, "Removable")) or bool(_property(api, entry, "Ejectable"))
    return Storage(
        place=str(_property(api, entry, "BSD Name") or "disk"),
        model=" ".join(f"{vendor} {product}".split()),
        size=_whole(_property(api, entry, "Size")),
        bus=bus or "other",
        is_removable=removable or is_inside == "External" or (bus in _PLUGGED and is_inside != "Internal"),
    )


def _above(api: Api, entry: int, dictionary: str, *keys: str) -> tuple[str, ...]:
    """Return what the nearest device above ``entry`` says about itself; a text is empty where it says nothing."""
    with text(api, dictionary) as name:
        reference = api.IORegistryEntrySearchCFProperty(entry, b"IOService", name, None, _UPWARDS)
    with released(api, reference):
        return tuple(str(value_of(api, reference, key) or "") for key in keys)


def _property(api: Api, entry: int, key: str) -> str | int | float | bool | None:
    with text(api, key) as name:
        reference = api.IORegistryEntryCreateCFProperty(entry, name, None, 0)
    with released(api, reference):
        return value(api, reference)


def _whole(found: str | int | float | bool | None) -> int:
    return int(found) if isinstance(found, int | float) else 0

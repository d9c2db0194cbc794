"""What is plugged in, as Windows names it: keyboards, mice, cameras, sound, disks. Nothing is read from them.

A device's last part of its id may hold its serial number, and is thrown away.
"""

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockdown.capabilities import unsupported
from lockdown.environment.media import MediaDevice
from lockdown.environment.plugs import InputDevice, Storage
from lockdown.windows import constants as c
from lockdown.windows.binary import (
    DISK_GEOMETRY_EX,
    DWORD,
    STORAGE_DEVICE_DESCRIPTOR,
    STORAGE_PROPERTY_QUERY,
    WORD,
)
from lockdown.windows.functions import Api

# Setup classes (devguid.h).
KEYBOARDS = "{4d36e96b-e325-11ce-bfc1-08002be10318}"
MICE = "{4d36e96f-e325-11ce-bfc1-08002be10318}"
CAMERAS = "{ca3e7ab9-b4c3-4ae6-8251-579ef933890f}"
SOUND = "{c166523c-fe0c-4a94-a586-f1a80cfbbf3e}"

DRIVES = 32
_MADE = ("ROOT", "SWD", "TERMINPUT_BUS")
"""Enumerators of devices that programs make; the last is the remote desktop's."""
_IDENTITY = re.compile(r"VID[_&](?:\w{2})?(\w{4})&PID[_&](\w{4})", re.IGNORECASE)
_PCI = re.compile(r"VEN_(\w{4})&DEV_(\w{4})", re.IGNORECASE)
_BUSES = {
    c.ENUMERATED["BusType1394"]: "FireWire",
    c.ENUMERATED["BusTypeUsb"]: "USB",
    c.ENUMERATED["BusTypeSata"]: "SATA",
    c.ENUMERATED["BusTypeSd"]: "card slot",
    c.ENUMERATED["BusTypeNvme"]: "NVMe",
}
_PLUGGED = ("FireWire", "USB", "card slot")
_ROOM = 1024
_INVALID = ctypes.c_void_p(-1).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device: which bus found it ("USB", "HID", "PCI", "ROOT"), its model there, and the name people see."""

    enumerator: str
    model: str
    name: str


def keyboards_and_mice(api: Api) -> Sequence[InputDevice]:
    """Return every keyboard and mouse. Raises ``Unsupported``."""
    found: list[InputDevice] = []
    for kind, group in (("keyboard", KEYBOARDS), ("mouse", MICE)):
        for number, device in enumerate(present(api, group)):
            identity = _IDENTITY.search(device.model)
            found.append(
                InputDevice(
                    kind=kind,
                    name=device.name or kind,
                    identity=f"{identity[1]}:{identity[2]}".lower() if identity else device.model,
                    bus=device.enumerator,
                    place=f"{kind} {number}",
                    is_made=device.enumerator in _MADE,
                )
            )
    return found


def cameras_and_sound(api: Api) -> Sequence[MediaDevice]:
    """Return every camera, and every microphone and loudspeaker. Raises ``Unsupported``.

    A camera that a program makes with a DirectShow filter only is no device, and is not seen.
    """
    cameras = [
        MediaDevice(is_camera=True, name=device.name, on_a_bus=device.enumerator not in _MADE)
        for device in present(api, CAMERAS)
    ]
    # Each sound device is one of software to Windows, whatever it plays through: only its name says something.
    return [*cameras, *(MediaDevice(is_camera=False, name=device.name) for device in present(api, SOUND))]


def pci(api: Api) -> Sequence[str]:
    """Return "vendor:device" in lower-case hex of everything on PCI. Raises ``Unsupported``."""
    ids = _ids(api, "PCI", c.CM_GETIDLIST_FILTER_ENUMERATOR | c.CM_GETIDLIST_FILTER_PRESENT)
    return [f"{found[1]}:{found[2]}".lower() for one in ids if (found := _PCI.search(one))]


def disks(api: Api) -> Iterator[Storage]:
    """Yield every disk, stick and card. It is opened without the right to read or write, only to ask what it is."""
    for number in range(DRIVES):
        sharing = c.FILE_SHARE_READ | c.FILE_SHARE_WRITE
        handle = api.CreateFileW(rf"\\.\PhysicalDrive{number}", 0, sharing, None, c.OPEN_EXISTING, 0, None)
        if handle in (None, _INVALID):
            continue
        try:
            disk = _disk(api, handle, number)
        finally:
            api.CloseHandle(handle)
        if disk is not None:
            yield disk


def present(api: Api, group: str) -> Iterator[Device]:
    """Yield the devices of a setup class that are there now. Raises ``Unsupported``."""
    for identity in _ids(api, group, c.CM_GETIDLIST_FILTER_CLASS | c.CM_GETIDLIST_FILTER_PRESENT):
        enumerator, model, *_ = [*identity.split("\\"), ""]
        yield Device(enumerator=enumerator.upper(), model=model, name=_name(api, identity))


def _ids(api: Api, wanted: str, flags: int) -> Sequence[str]:
    length = DWORD()
    if api.CM_Get_Device_ID_List_SizeW(ctypes.byref(length), wanted, flags) == c.CR_SUCCESS:
        # Room for what is plugged in between the two questions.
        buffer = (WORD * (length.value + _ROOM))()
        if api.CM_Get_Device_ID_ListW(wanted, buffer, len(buffer), flags) == c.CR_SUCCESS:
            text = bytes(buffer).decode("utf-16-le", errors="replace").partition("\0\0")[0]
            return [identity for identity in text.split("\0") if identity]
    raise unsupported("Windows does not say which devices there are.", "Start Fairlock again.")


def _name(api: Api, identity: str) -> str:
    """Return the name that people see, empty if it has none or is gone."""
    wide = f"{identity}\0".encode("utf-16-le")
    node = DWORD()
    place = (WORD * (len(wide) // 2)).from_buffer_copy(wide)
    if api.CM_Locate_DevNodeW(ctypes.byref(node), place, c.CM_LOCATE_DEVNODE_NORMAL) != c.CR_SUCCESS:
        return ""
    for what in (c.CM_DRP_FRIENDLYNAME, c.CM_DRP_DEVICEDESC):
        buffer, size = (WORD * _ROOM)(), DWORD(_ROOM * 2)
        answer = api.CM_Get_DevNode_Registry_PropertyW(node.value, what, None, buffer, ctypes.byref(size), 0)
        if answer == c.CR_SUCCESS:
            return bytes(buffer).decode("utf-16-le", errors="replace").partition("\0")[0]
    return ""


def _disk(api: Api, handle: int, number: int) -> Storage | None:
    query = STORAGE_PROPERTY_QUERY(
        PropertyId=c.ENUMERATED["StorageDeviceProperty"], QueryType=c.ENUMERATED["PropertyStandardQuery"]
    )
    answer = _control(api, handle, c.IOCTL_STORAGE_QUERY_PROPERTY, bytes(query))
    geometry = _control(api, handle, c.IOCTL_DISK_GET_DRIVE_GEOMETRY_EX, b"")
    if len(answer) < ctypes.sizeof(STORAGE_DEVICE_DESCRIPTOR) or not geometry:
        return None  # a card reader with nothing in it
    disk = STORAGE_DEVICE_DESCRIPTOR.from_buffer_copy(answer)
    size = DISK_GEOMETRY_EX.from_buffer_copy(geometry.ljust(ctypes.sizeof(DISK_GEOMETRY_EX), b"\0")).DiskSize
    texts = (_text(answer, disk.VendorIdOffset), _text(answer, disk.ProductIdOffset))
    bus = _BUSES.get(disk.BusType, "other")
    return Storage(
        place=f"PhysicalDrive{number}",
        model=" ".join(" ".join(texts).split()),
        size=size,
        bus=bus,
        is_removable=bus in _PLUGGED or bool(disk.RemovableMedia),
    )


def _control(api: Api, handle: int, code: int, question: bytes) -> bytes:
    asked = ctypes.create_string_buffer(question, max(1, len(question)))
    answer, length = ctypes.create_string_buffer(_ROOM), DWORD()
    done = api.DeviceIoControl(handle, code, asked, len(question), answer, len(answer), ctypes.byref(length), None)
    return answer.raw[: length.value] if done else b""


def _text(answer: bytes, offset: int) -> str:
    """Return the text at ``offset``; 0 means that there is none."""
    return answer[offset:].partition(b"\0")[0].decode("ascii", errors="ignore").strip() if offset else ""

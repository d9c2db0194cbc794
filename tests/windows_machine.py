# ruff: noqa: N802  (the functions bear Windows' names)
"""A Windows computer that answers call by call, made of what a test puts on it. Nothing here was recorded on Windows.

Its answers follow Microsoft's documentation. Each method is one function of Windows and bears its name.
"""

import ctypes
import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lockdown.windows import binary, devices
from lockdown.windows import constants as c
from lockdown.windows.functions import PROTOTYPES
from tests.native_calls import Answered

SHELL = 100
GUARD = 101

_ROOM_FOR_PATH = 4096
"""A version resource begins with the path it is of, and answers are written behind it."""


@dataclass(kw_only=True)
class FakeWindow:
    """A top-level window."""

    number: int
    pid: int
    place: tuple[int, int, int, int] = (0, 0, 1920, 1080)
    style: int = 0
    affinity: int = c.WDA_NONE
    visible: bool = True
    minimised: bool = False
    cloaked: bool = False
    closed: bool = False


@dataclass(frozen=True, kw_only=True)
class FakeDisplay:
    """A path from a picture to a display."""

    title: str
    technology: int = 5
    picture: int = 0
    target: int = 1
    size: tuple[int, int] = (1920, 1080)


@dataclass(frozen=True, kw_only=True)
class FakeDisk:
    """A disk as its driver describes it."""

    vendor: str
    product: str
    bus: int
    size: int = 512_110_190_592
    removable: bool = False


def smbios(*structures: tuple[int, bytes, list[str]]) -> bytes:
    """Return ``RawSMBIOSData`` of structures: type, what follows the header, and texts."""
    table = b""
    for kind, formatted, texts in (*structures, (127, b"", [])):
        strings = b"".join(text.encode("latin-1") + b"\0" for text in texts) or b"\0"
        table += bytes((kind, 4 + len(formatted), 0, 0)) + formatted + strings + b"\0"
    return bytes((0, 3, 4, 0)) + len(table).to_bytes(4, "little") + table


A_LAPTOP = smbios(
    (0, bytes((1, 2)), ["LENOVO", "N2WET30W (1.20 )"]),
    (1, bytes((1, 2, 3, 4)), ["LENOVO", "20T0S39N00", "ThinkPad T14s", "SERIAL-MUST-NOT-BE-READ"]),
    (2, bytes((1, 2)), ["LENOVO", "20T0S39N00"]),
    (3, bytes((1,)), ["LENOVO"]),
)
A_VIRTUALBOX = smbios(
    (0, bytes((1, 2)), ["innotek GmbH", "VirtualBox"]),
    (1, bytes((1, 2)), ["innotek GmbH", "VirtualBox"]),
)
A_PANEL = FakeDisplay(title="", technology=0x80000000)


@dataclass(kw_only=True)
class WindowsMachine:
    """The computer. ``api`` is what the backend calls."""

    windows: list[FakeWindow] = field(default_factory=list)
    foreground: int = 0
    formats: int = 0
    clipboard_owner: int = 0
    clipboard_is_open: bool = False
    shortcuts: dict[int, int] = field(
        default_factory=lambda: {c.SPI_GETSTICKYKEYS: 0x1F6, c.SPI_GETFILTERKEYS: 0x7E, c.SPI_GETTOGGLEKEYS: 0x1E}
    )
    held_keys: set[int] = field(default_factory=set)
    refuses_hooks: bool = False
    displays: list[FakeDisplay] = field(default_factory=lambda: [A_PANEL])
    grows: int = 0
    metrics: set[int] = field(default_factory=set)
    console_session: int = 1
    debugged: set[int] = field(default_factory=set)
    firmware: bytes = A_LAPTOP
    device_ids: dict[str, list[str]] = field(
        default_factory=lambda: {
            "PCI": [r"PCI\VEN_8086&DEV_9A49&SUBSYS_22D117AA&REV_01\3&11583659&0&10"],
            devices.KEYBOARDS: [r"ACPI\PNP0303\4&1A2B3C4D&0"],
            devices.MICE: [r"HID\VID_046D&PID_C077\7&2F3B1C8&0&0000"],
            devices.CAMERAS: [r"USB\VID_13D3&PID_5405&MI_00\6&12345678&0&0000"],
            devices.SOUND: [r"SWD\MMDEVAPI\{0.0.1.00000000}.{0F1E2D3C}"],
        }
    )
    device_names: dict[str, str] = field(default_factory=lambda: {"PNP0303": "Standard PS/2 Keyboard"})
    disks: list[FakeDisk] = field(
        default_factory=lambda: [
            FakeDisk(vendor="", product="SAMSUNG MZVLB512", bus=c.ENUMERATED["BusTypeNvme"]),
        ]
    )
    power_requests: dict[int, set[int]] = field(default_factory=dict)
    version_resources: dict[str, Mapping[str, str]] = field(default_factory=dict)
    signers: dict[str, str] = field(default_factory=dict)
    blind: bool = False

    def __post_init__(self) -> None:
        self.api = Answered(self, PROTOTYPES, binary.TYPES)
        self.hooks: dict[int, Callable[..., int]] = {}
        self.timers: list[int] = []
        self.messages: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.handles: dict[int, object] = {}
        self.open_states = 0
        self.nodes: dict[int, str] = {}
        self._last_handle = 0x1000
        self._kept: list[Any] = []

    # --- what a test does ------------------------------------------------------------------------------------------

    def press(self, key: int, flags: int = 0) -> bool:
        """Press a key; whether the hook swallowed it."""
        event = binary.KBDLLHOOKSTRUCT(vkCode=key, flags=flags)
        return any(hook(c.HC_ACTION, 0x100, ctypes.addressof(event)) for hook in self.hooks.values())

    def copy(self, owner: int = 0) -> None:
        """Another program copies something."""
        self.formats, self.clipboard_owner = 3, owner

    def _handle(self, of: object) -> int:
        self._last_handle += 4
        self.handles[self._last_handle] = of
        return self._last_handle

    def _window(self, number: int) -> FakeWindow | None:
        return next((window for window in self.windows if window.number == number), None)

    # --- windows ---------------------------------------------------------------------------------------------------

    def EnumWindows(self, callback: Callable[[int, int], int], argument: int) -> int:
        return 0 if self.blind else int(all(callback(window.number, argument) for window in self.windows))

    def IsWindowVisible(self, number: int) -> int:
        window = self._window(number)
        return int(window is not None and window.visible)

    def IsIconic(self, number: int) -> int:
        window = self._window(number)
        return int(window is not None and window.minimised)

    def GetWindowRect(self, number: int, place: binary.RECT) -> int:
        window = self._window(number)
        if window is None:
            return 0
        place.left, place.top, place.right, place.bottom = window.place
        return 1

    def GetWindowThreadProcessId(self, number: int, pid: Any) -> int:
        window = self._window(number)
        pid.value = window.pid if window is not None else 0
        return 1 if window is not None else 0

    def GetWindowLongPtrW(self, number: int, what: int) -> int:
        assert what == c.GWL_EXSTYLE
        window = self._window(number)
        return window.style if window is not None else 0

    def GetWindowDisplayAffinity(self, number: int, affinity: Any) -> int:
        window = self._window(number)
        affinity.value = window.affinity if window is not None else 0
        return int(window is not None)

    def GetForegroundWindow(self) -> int:
        return self.foreground

    def PostMessageW(self, number: int, message: int, *_: int) -> int:
        assert message == c.WM_CLOSE
        window = self._window(number)
        if window is not None:
            window.closed = True
        return int(window is not None)

    def DwmGetWindowAttribute(self, number: int, what: int, answer: Any, size: int) -> int:
        assert (what, size) == (c.DWMWA_CLOAKED, 4)
        window = self._window(number)
        answer.value = 2 if window is not None and window.cloaked else 0
        return 0

    # --- clipboard -------------------------------------------------------------------------------------------------

    def CountClipboardFormats(self) -> int:
        return self.formats

    def GetClipboardOwner(self) -> int:
        return self.clipboard_owner

    def OpenClipboard(self, _window: None) -> int:
        return int(not self.clipboard_is_open)

    def EmptyClipboard(self) -> int:
        self.formats, self.clipboard_owner = 0, 0
        return 1

    def CloseClipboard(self) -> int:
        return 1

    # --- keyboard --------------------------------------------------------------------------------------------------

    def GetModuleHandleW(self, _name: None) -> int:
        return 0x400000

    def GetCurrentThreadId(self) -> int:
        return 77

    def SetWindowsHookExW(self, kind: int, callback: Callable[..., int], module: int, thread: int) -> int:
        assert (kind, module, thread) == (c.WH_KEYBOARD_LL, 0x400000, 0)
        if self.refuses_hooks:
            return 0
        hook = self._handle("hook")
        self.hooks[hook] = callback
        return hook

    def UnhookWindowsHookEx(self, hook: int) -> int:
        self.handles.pop(hook)
        return int(self.hooks.pop(hook, None) is not None)

    def CallNextHookEx(self, *_: int) -> int:
        return 0

    def GetAsyncKeyState(self, key: int) -> int:
        return 0x8000 if key in self.held_keys else 0

    def SetTimer(self, _window: None, _number: int, period_ms: int, _function: None) -> int:
        self.timers.append(period_ms)
        return 1

    def GetMessageW(self, message: binary.MSG, *_: object) -> int:
        message.message = self.messages.get()
        return int(message.message != c.WM_QUIT)

    def PostThreadMessageW(self, thread: int, message: int, *_: int) -> int:
        assert thread == 77
        self.messages.put(message)
        return 1

    def SystemParametersInfoW(self, what: int, size: int, settings: Any, keep: int) -> int:
        assert (size, keep) == (ctypes.sizeof(settings), 0)
        assert settings.cbSize == size
        if what in self.shortcuts:
            settings.dwFlags = self.shortcuts[what]
        else:
            self.shortcuts[what - 1] = settings.dwFlags  # each "set" follows its "get"
        return int(not self.blind)

    # --- displays --------------------------------------------------------------------------------------------------

    def GetDisplayConfigBufferSizes(self, flags: int, paths: Any, modes: Any) -> int:
        assert flags == c.QDC_ONLY_ACTIVE_PATHS
        paths.value = modes.value = len(self.displays) - self.grows
        return 5 if self.blind else c.ERROR_SUCCESS

    def QueryDisplayConfig(self, _flags: int, path_count: Any, paths: Any, mode_count: Any, modes: Any, _: None) -> int:
        if self.grows:
            self.grows = 0
            return c.ERROR_INSUFFICIENT_BUFFER
        for index, display in enumerate(self.displays):
            source, target, mode = paths[index].sourceInfo, paths[index].targetInfo, modes[index]
            source.id, source.modeInfoIdx = display.picture, index
            target.id, target.outputTechnology = display.target, display.technology
            mode.infoType = c.DISPLAYCONFIG_MODE_INFO_TYPE_SOURCE
            mode.sourceMode.width, mode.sourceMode.height = display.size
            mode.sourceMode.position.x = 1920 * display.picture
        path_count.value = mode_count.value = len(self.displays)
        return c.ERROR_SUCCESS

    def DisplayConfigGetDeviceInfo(self, header: Any) -> int:
        assert (header.type, header.size) == (c.DISPLAYCONFIG_DEVICE_INFO_GET_TARGET_NAME, 420)
        whole = binary.DISPLAYCONFIG_TARGET_DEVICE_NAME.from_address(ctypes.addressof(header))
        title = next(display.title for display in self.displays if display.target == header.id)
        whole.monitorFriendlyDeviceName[: len(title)] = [ord(letter) for letter in title]
        return c.ERROR_SUCCESS

    # --- session and machine ---------------------------------------------------------------------------------------

    def GetSystemMetrics(self, what: int) -> int:
        return int(what in self.metrics)

    def GetCurrentProcessId(self) -> int:
        return GUARD

    def ProcessIdToSessionId(self, _pid: int, session: Any) -> int:
        session.value = 1
        return 1

    def WTSGetActiveConsoleSessionId(self) -> int:
        return self.console_session

    def IsDebuggerPresent(self) -> int:
        return 0

    def OpenProcess(self, rights: int, _inherit: int, pid: int) -> int:
        assert rights == c.PROCESS_QUERY_INFORMATION
        return self._handle(pid)

    def CheckRemoteDebuggerPresent(self, handle: int, answer: Any) -> int:
        answer.value = int(self.handles[handle] in self.debugged)
        return 1

    def CloseHandle(self, handle: int) -> int:
        self.power_requests.pop(handle, None)
        return int(self.handles.pop(handle, None) is not None)

    def GetSystemFirmwareTable(self, provider: int, _number: int, buffer: Any, size: int) -> int:
        assert provider == 0x52534D42
        if size >= len(self.firmware):
            buffer[: len(self.firmware)] = self.firmware
        return len(self.firmware)

    # --- power -----------------------------------------------------------------------------------------------------

    def PowerCreateRequest(self, reason: binary.REASON_CONTEXT) -> int | None:
        assert reason.Reason
        if self.blind:
            return binary.HANDLE(-1).value
        handle = self._handle("power request")
        self.power_requests[handle] = set()
        return handle

    def PowerSetRequest(self, handle: int, what: int) -> int:
        self.power_requests[handle].add(what)
        return 1

    def CallNtPowerInformation(self, what: int, _in: None, _in_size: int, answer: Any, size: int) -> int:
        assert (what, size) == (16, 4)
        asked = set().union(*self.power_requests.values()) if self.power_requests else set()
        display = c.ES_DISPLAY_REQUIRED if 0 in asked else 0
        answer.value = display | (c.ES_SYSTEM_REQUIRED if 1 in asked else 0)
        return 0

    # --- devices ---------------------------------------------------------------------------------------------------

    def _ids(self, wanted: str, flags: int) -> list[str]:
        kind = c.CM_GETIDLIST_FILTER_ENUMERATOR if wanted == "PCI" else c.CM_GETIDLIST_FILTER_CLASS
        assert flags == kind | c.CM_GETIDLIST_FILTER_PRESENT
        return [*(f"{one}\0" for one in self.device_ids.get(wanted, [])), "\0"]

    def CM_Get_Device_ID_List_SizeW(self, length: Any, wanted: str, flags: int) -> int:
        length.value = len("".join(self._ids(wanted, flags)))
        return 0x13 if self.blind else c.CR_SUCCESS

    def CM_Get_Device_ID_ListW(self, wanted: str, buffer: Any, length: int, flags: int) -> int:
        text = "".join(self._ids(wanted, flags))
        assert length >= len(text)
        buffer[: len(text)] = [ord(letter) for letter in text]
        return c.CR_SUCCESS

    def CM_Locate_DevNodeW(self, node: Any, place: Any, _flags: int) -> int:
        identity = bytes(place).decode("utf-16-le").rstrip("\0")
        node.value = len(self.nodes) + 1
        self.nodes[node.value] = identity
        return c.CR_SUCCESS

    def CM_Get_DevNode_Registry_PropertyW(
        self, node: int, what: int, _kind: None, buffer: Any, size: Any, _flags: int
    ) -> int:
        identity = self.nodes[node]
        name = next((name for part, name in self.device_names.items() if part in identity), "")
        if what == c.CM_DRP_FRIENDLYNAME or not name:
            return 0x25  # CR_NO_SUCH_VALUE
        assert size.value >= 2 * len(name)
        buffer[: len(name)] = [ord(letter) for letter in name]
        return c.CR_SUCCESS

    def CreateFileW(self, path: str, rights: int, *_: object) -> int | None:
        assert rights == 0, "a disk is opened with no right at all"
        number = int(path.removeprefix(r"\\.\PhysicalDrive"))
        return self._handle(self.disks[number]) if number < len(self.disks) else binary.HANDLE(-1).value

    def DeviceIoControl(
        self, handle: int, code: int, _asked: Any, _length: int, answer: Any, room: int, length: Any, _: None
    ) -> int:
        disk = self.handles[handle]
        assert isinstance(disk, FakeDisk)
        if code == c.IOCTL_DISK_GET_DRIVE_GEOMETRY_EX:
            content = bytes(binary.DISK_GEOMETRY_EX(DiskSize=disk.size)) if disk.size else b""
        else:
            start = ctypes.sizeof(binary.STORAGE_DEVICE_DESCRIPTOR)
            texts = disk.vendor.encode() + b"\0" + disk.product.encode() + b"\0"
            known = binary.STORAGE_DEVICE_DESCRIPTOR(
                RemovableMedia=disk.removable,
                BusType=disk.bus,
                VendorIdOffset=start if disk.vendor else 0,
                ProductIdOffset=start + len(disk.vendor) + 1,
            )
            content = bytes(known) + texts
        assert len(content) <= room
        answer[: len(content)] = content
        length.value = len(content)
        return int(bool(content))

    # --- identities ------------------------------------------------------------------------------------------------

    def GetFileVersionInfoSizeW(self, path: str, _unused: Any) -> int:
        return 2 * _ROOM_FOR_PATH if path in self.version_resources else 0

    def GetFileVersionInfoW(self, path: str, _unused: int, size: int, resource: Any) -> int:
        resource.value = path.encode()
        return int(size == 2 * _ROOM_FOR_PATH)

    def VerQueryValueW(self, resource: Any, what: str, value: Any, length: Any) -> int:
        text = self.version_resources[resource.value.decode()].get(what)
        if text is None:
            return 0
        content = bytes.fromhex(text) if what.endswith("Translation") else f"{text}\0".encode("utf-16-le")
        resource[_ROOM_FOR_PATH : _ROOM_FOR_PATH + len(content)] = content
        value.value = ctypes.addressof(resource) + _ROOM_FOR_PATH
        length.value = len(content) // (1 if what.endswith("Translation") else 2)
        return 1

    def WinVerifyTrust(self, _window: None, action: Any, data: binary.WINTRUST_DATA) -> int:
        assert bytes(action).hex() == "6bc5aa0044cdd0118cc200c04fc295ee"
        if data.dwStateAction == c.WTD_STATEACTION_CLOSE:
            self.open_states -= 1
            return 0
        assert data.dwUIChoice == c.WTD_UI_NONE
        path = data.pFile.contents.pcwszFilePath
        self.open_states += 1
        data.hWVTStateData = self._handle(path)
        return 0 if path in self.signers else -0x7FF4FF00  # TRUST_E_NOSIGNATURE: 0x800B0100

    def WTHelperProvDataFromStateData(self, state: int) -> int:
        return state

    def WTHelperGetProvSignerFromChain(self, provider: int, *_: int) -> int:
        return provider

    def WTHelperGetProvCertFromChain(self, first: int, _index: int) -> Any:
        certificate = binary.CRYPT_PROVIDER_CERT(pCert=first)
        self._kept.append(certificate)
        return ctypes.pointer(certificate)

    def CertGetNameStringW(self, certificate: int, kind: int, _flags: int, _no: None, name: Any, room: int) -> int:
        assert kind == c.CERT_NAME_SIMPLE_DISPLAY_TYPE
        text = self.signers[str(self.handles.pop(certificate))]
        assert len(text) < room
        name[: len(text)] = [ord(letter) for letter in text]
        return len(text) + 1

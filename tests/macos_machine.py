# ruff: noqa: N802  (the functions bear macOS' names)
"""A Mac that answers call by call, made of what a test puts on it. Nothing here was recorded on macOS.

Its answers follow Apple's documentation. Each method is one function of macOS and bears its name. What Core Foundation
hands out is counted: ``leaks`` says what was not given back.
"""

import ctypes
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lockdown.macos.functions import PROTOTYPES, TYPES, CGRect
from tests.native_calls import Answered

_KINDS: Mapping[type, int] = {str: 1, int: 2, float: 2, bool: 3, dict: 4, list: 5}


@dataclass(kw_only=True)
class FakeWindow:
    """A window on the screen."""

    pid: int
    number: int = 1
    place: tuple[float, float, float, float] = (0, 0, 1440, 900)
    layer: int = 0
    alpha: float = 1
    sharing: int | None = 1

    def listed(self) -> dict[str, Any]:
        """Return what the window server says of it; the title is there, to be left alone."""
        left, top, width, height = self.place
        known = {
            "kCGWindowNumber": self.number,
            "kCGWindowOwnerPID": self.pid,
            "kCGWindowLayer": self.layer,
            "kCGWindowAlpha": self.alpha,
            "kCGWindowBounds": {"X": left, "Y": top, "Width": width, "Height": height},
            "kCGWindowName": "a title that nobody must read",
        }
        return known if self.sharing is None else {**known, "kCGWindowSharingState": self.sharing}


@dataclass(frozen=True, kw_only=True)
class FakeDisplay:
    """A display; ``mirrors`` is the number of the one whose picture it shows."""

    number: int
    vendor: int = 0x610
    model: int = 0xA050
    built_in: bool = True
    mirrors: int = 0
    place: tuple[float, float, float, float] = (0, 0, 1440, 900)


A_KEYBOARD = {
    "PrimaryUsagePage": 1,
    "PrimaryUsage": 6,
    "Transport": "FIFO",
    "VendorID": 0x5AC,
    "ProductID": 0x342,
    "Product": "Apple Internal Keyboard / Trackpad",
    "LocationID": 0x80500000,
    "SerialNumber": "MUST-NOT-BE-READ",
}
A_DISK = {
    "Whole": True,
    "Removable": False,
    "Ejectable": False,
    "BSD Name": "disk0",
    "Size": 500_277_792_768,
    "above": {
        "Protocol Characteristics": {
            "Physical Interconnect": "Apple Fabric",
            "Physical Interconnect Location": "Internal",
        },
        "Device Characteristics": {"Product Name": "APPLE SSD AP0512Q", "Serial Number": "MUST-NOT-BE-READ"},
    },
}


@dataclass(kw_only=True)
class MacMachine:
    """The computer. ``api`` is what the backend calls."""

    windows: list[FakeWindow] = field(default_factory=list)
    displays: list[FakeDisplay] = field(default_factory=lambda: [FakeDisplay(number=1)])
    copied: int = 0
    may_hold_keys: bool = True
    entries: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"IOHIDDevice": [A_KEYBOARD], "IOMedia": [A_DISK]}
    )
    settings: dict[str, int | str] = field(
        default_factory=lambda: {"hw.model": "MacBookPro17,1", "machdep.cpu.brand_string": "Apple M1"}
    )
    traced: set[int] = field(default_factory=set)
    session: dict[str, Any] | None = field(default_factory=lambda: {"kCGSSessionOnConsoleKey": True})
    assertions: set[int] = field(default_factory=set)
    blind: bool = False

    def __post_init__(self) -> None:
        self.api = Answered(self, PROTOTYPES, TYPES)
        self.keys_asked: list[str] = []
        self._values: dict[int, Any] = {}
        self._counts: dict[int, int] = {}
        self._next = 0x6000
        self._objects: dict[int, list[dict[str, Any]] | dict[str, Any]] = {}
        self.tap: Any = None
        self.tap_is_on = False
        self._stopped = threading.Event()

    # --- what a test does ------------------------------------------------------------------------------------------

    @property
    def leaks(self) -> list[Any]:
        """What was made or copied and not given back."""
        return [self._values[reference] for reference, count in self._counts.items() if count]

    def press(self, key: int, flags: int = 0, pid: int = 0, kind: int = 10) -> bool:
        """Press a key; whether the tap swallowed it."""
        if self.tap is None or not self.tap_is_on:
            return False
        event = self._borrowed({9: key, 41: pid, "flags": flags})
        return self.tap(None, kind, event, None) is None

    def switch_tap_off(self) -> None:
        """Do what macOS does to a slow tap."""
        self.tap_is_on = False
        self.tap(None, 0xFFFFFFFE, None, None)

    # --- Core Foundation -------------------------------------------------------------------------------------------

    def _borrowed(self, value: Any) -> int:
        self._next += 16
        self._values[self._next] = value
        return self._next

    def _owned(self, value: Any) -> int:
        reference = self._borrowed(value)
        self._counts[reference] = 1
        return reference

    def CFRelease(self, reference: int) -> None:
        assert self._counts.get(reference), "released what was not ours"
        self._counts[reference] -= 1

    def CFArrayGetCount(self, array: int) -> int:
        return len(self._values[array])

    def CFArrayGetValueAtIndex(self, array: int, place: int) -> int:
        return self._borrowed(self._values[array][place])

    def CFDictionaryGetValue(self, dictionary: int, key: int) -> int | None:
        name = self._values[key]
        self.keys_asked.append(name)
        found = self._values[dictionary].get(name)
        return None if found is None else self._borrowed(found)

    def CFGetTypeID(self, reference: int) -> int:
        return _KINDS[type(self._values[reference])]

    def CFStringGetTypeID(self) -> int:
        return _KINDS[str]

    def CFNumberGetTypeID(self) -> int:
        return _KINDS[int]

    def CFBooleanGetTypeID(self) -> int:
        return _KINDS[bool]

    def CFNumberGetValue(self, number: int, kind: int, answer: Any) -> int:
        value = self._values[number]
        assert isinstance(answer, ctypes.c_int64 if kind == 4 else ctypes.c_double)
        is_exact = kind == 6 or value == int(value)
        answer.value = int(value) if kind == 4 else float(value)
        return int(is_exact)

    def CFBooleanGetValue(self, truth: int) -> int:
        return int(self._values[truth])

    def CFStringCreateWithCString(self, _allocator: None, content: bytes, encoding: int) -> int:
        assert encoding == 0x08000100
        return self._owned(content.decode())

    def CFStringGetCString(self, text: int, buffer: Any, room: int, encoding: int) -> int:
        content = self._values[text].encode()
        assert encoding == 0x08000100
        assert len(content) < room
        buffer.value = content
        return 1

    # --- windows, displays, session --------------------------------------------------------------------------------

    def CGWindowListCopyWindowInfo(self, options: int, relative_to: int) -> int | None:
        assert (options, relative_to) == (17, 0)
        return None if self.blind else self._owned([window.listed() for window in self.windows])

    def CGSessionCopyCurrentDictionary(self) -> int | None:
        return None if self.session is None else self._owned(self.session)

    def CGGetOnlineDisplayList(self, most: int, numbers: Any, count: Any) -> int:
        assert most >= len(self.displays)
        for place, display in enumerate(self.displays):
            numbers[place] = display.number
        count.value = len(self.displays)
        return 1000 if self.blind else 0

    def _display(self, number: int) -> FakeDisplay:
        return next(display for display in self.displays if display.number == number)

    def CGDisplayMirrorsDisplay(self, number: int) -> int:
        return self._display(number).mirrors

    def CGDisplayIsBuiltin(self, number: int) -> int:
        return int(self._display(number).built_in)

    def CGDisplayVendorNumber(self, number: int) -> int:
        return self._display(number).vendor

    def CGDisplayModelNumber(self, number: int) -> int:
        return self._display(number).model

    def CGDisplayBounds(self, number: int) -> CGRect:
        return CGRect(*self._display(number).place)

    # --- keyboard --------------------------------------------------------------------------------------------------

    def CGEventTapCreate(self, where: int, place: int, options: int, events: int, callback: Any, _own: None) -> Any:
        assert (where, place, options, events) == (1, 0, 0, 1 << 10 | 1 << 11)
        if not self.may_hold_keys:
            return None
        self.tap = callback
        self._stopped.clear()
        return self._owned("tap")

    def CGEventTapEnable(self, _tap: int, on: bool) -> None:
        self.tap_is_on = on

    def CGEventTapIsEnabled(self, _tap: int) -> bool:
        return self.tap_is_on

    def CFMachPortCreateRunLoopSource(self, _allocator: None, _tap: int, _order: int) -> int:
        return self._owned("source")

    def CFMachPortInvalidate(self, _tap: int) -> None:
        self.tap, self.tap_is_on = None, False

    def CFRunLoopGetCurrent(self) -> int:
        return self._borrowed("loop")

    def CFRunLoopAddSource(self, _loop: int, source: int, mode: int) -> None:
        assert (self._values[source], self._values[mode]) == ("source", "kCFRunLoopDefaultMode")

    def CFRunLoopRunInMode(self, _mode: int, seconds: float, _once: int) -> int:
        self._stopped.wait(min(seconds, 0.01))
        return 3  # kCFRunLoopRunTimedOut

    def CGEventGetIntegerValueField(self, event: int, what: int) -> int:
        return int(self._values[event][what])

    def CGEventGetFlags(self, event: int) -> int:
        return int(self._values[event]["flags"])

    # --- pasteboard ------------------------------------------------------------------------------------------------

    def PasteboardCreate(self, name: int, pasteboard: Any) -> int:
        assert self._values[name] == "com.apple.pasteboard.clipboard"
        if self.blind:
            return -25130
        pasteboard.value = self._owned("pasteboard")
        return 0

    def PasteboardSynchronize(self, _pasteboard: int) -> int:
        return 1 if self.copied else 0

    def PasteboardClear(self, _pasteboard: int) -> int:
        self.copied = 0
        return 0

    def PasteboardGetItemCount(self, _pasteboard: int, count: Any) -> int:
        count.value = self.copied
        return -25130 if self.blind else 0

    # --- power and devices -----------------------------------------------------------------------------------------

    def IOPMAssertionCreateWithName(self, kind: int, level: int, reason: int, number: Any) -> int:
        assert self._values[kind] == "PreventUserIdleDisplaySleep"
        assert level == 255
        assert self._values[reason]
        if self.blind:
            return -1
        number.value = 900 + len(self.assertions)
        self.assertions.add(number.value)
        return 0

    def IOPMAssertionCopyProperties(self, number: int) -> int | None:
        return self._owned({}) if number in self.assertions else None

    def IOPMAssertionRelease(self, number: int) -> int:
        self.assertions.discard(number)
        return 0

    def IOServiceMatching(self, kind: bytes) -> int:
        return self._borrowed(kind.decode())  # the next call takes it

    def IOServiceGetMatchingServices(self, _port: int, matching: int, entries: Any) -> int:
        self._next += 16
        self._objects[self._next] = list(self.entries[self._values[matching]])
        entries.value = self._next
        return -1 if self.blind else 0

    def IOIteratorNext(self, iterator: int) -> int:
        waiting = self._objects[iterator]
        assert isinstance(waiting, list)
        if not waiting:
            return 0
        self._next += 16
        self._objects[self._next] = waiting.pop(0)
        return self._next

    def IOObjectRelease(self, number: int) -> int:
        del self._objects[number]
        return 0

    @property
    def open_objects(self) -> int:
        """How many iterators and entries were not given back."""
        return len(self._objects)

    def IORegistryEntryCreateCFProperty(self, entry: int, key: int, _allocator: None, _options: int) -> int | None:
        return self._property(self._objects[entry], key)

    def IORegistryEntrySearchCFProperty(
        self, entry: int, plane: bytes, key: int, _allocator: None, options: int
    ) -> int | None:
        assert (plane, options) == (b"IOService", 3)
        found = self._objects[entry]
        assert isinstance(found, dict)
        return self._property(found.get("above", {}), key)

    def _property(self, properties: Any, key: int) -> int | None:
        name = self._values[key]
        self.keys_asked.append(name)
        return self._owned(properties[name]) if name in properties else None

    # --- kernel ----------------------------------------------------------------------------------------------------

    def sysctlbyname(self, name: bytes, answer: Any, length: Any, _new: None, _new_length: int) -> int:
        found = self.settings.get(name.decode())
        if found is None:
            return -1
        answer.value = found.encode() if isinstance(found, str) else found
        length.value = len(found) + 1 if isinstance(found, str) else 4
        return 0

    def sysctl(self, question: Any, count: int, answer: Any, length: Any, _new: None, _new_length: int) -> int:
        assert (list(question[:3]), count, length.value) == ([1, 14, 1], 4, 648)
        flags = 0x4004 | (0x800 if question[3] in self.traced else 0)
        answer[32:36] = flags.to_bytes(4, "little")
        return 0

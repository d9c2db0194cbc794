"""Every function of macOS that is called, as its headers declare it, and the real ones behind those names.

C interfaces only: nothing is asked through Objective-C, so no Python object lives in both worlds.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from lockdown import prototypes
from lockdown.capabilities import unsupported

_FRAMEWORKS = "/System/Library/Frameworks"
_FILES = {
    "libSystem": "/usr/lib/libSystem.B.dylib",
    **{
        name: f"{_FRAMEWORKS}/{name}.framework/{name}"
        for name in ("ApplicationServices", "CoreFoundation", "CoreGraphics", "IOKit")
    },
}

PROTOTYPES = prototypes.read(
    {
        "CoreFoundation": """
            CFIndex CFArrayGetCount(CFArrayRef)
            const void* CFArrayGetValueAtIndex(CFArrayRef, CFIndex)
            const void* CFDictionaryGetValue(CFDictionaryRef, const void*)
            CFTypeID CFGetTypeID(CFTypeRef)
            CFTypeID CFNumberGetTypeID(void)
            CFTypeID CFStringGetTypeID(void)
            CFTypeID CFBooleanGetTypeID(void)
            Boolean CFNumberGetValue(CFNumberRef, CFNumberType, void*)
            Boolean CFBooleanGetValue(CFBooleanRef)
            CFStringRef CFStringCreateWithCString(CFAllocatorRef, const char*, CFStringEncoding)
            Boolean CFStringGetCString(CFStringRef, char*, CFIndex, CFStringEncoding)
            void CFRelease(CFTypeRef)
            CFRunLoopRef CFRunLoopGetCurrent(void)
            void CFRunLoopAddSource(CFRunLoopRef, CFRunLoopSourceRef, CFRunLoopMode)
            SInt32 CFRunLoopRunInMode(CFRunLoopMode, CFTimeInterval, Boolean)
            CFRunLoopSourceRef CFMachPortCreateRunLoopSource(CFAllocatorRef, CFMachPortRef, CFIndex)
            void CFMachPortInvalidate(CFMachPortRef)
        """,
        "CoreGraphics": """
            CFArrayRef CGWindowListCopyWindowInfo(CGWindowListOption, CGWindowID)
            CFDictionaryRef CGSessionCopyCurrentDictionary(void)
            CGError CGGetOnlineDisplayList(uint32_t, CGDirectDisplayID*, uint32_t*)
            CGDirectDisplayID CGDisplayMirrorsDisplay(CGDirectDisplayID)
            boolean_t CGDisplayIsBuiltin(CGDirectDisplayID)
            uint32_t CGDisplayVendorNumber(CGDirectDisplayID)
            uint32_t CGDisplayModelNumber(CGDirectDisplayID)
            CGRect CGDisplayBounds(CGDirectDisplayID)
            CFMachPortRef CGEventTapCreate(CGEventTapLocation, CGEventTapPlacement, CGEventTapOptions, CGEventMask, CGEventTapCallBack, void*)
            void CGEventTapEnable(CFMachPortRef, bool)
            bool CGEventTapIsEnabled(CFMachPortRef)
            int64_t CGEventGetIntegerValueField(CGEventRef, CGEventField)
            CGEventFlags CGEventGetFlags(CGEventRef)
        """,  # noqa: E501
        "ApplicationServices": """
            OSStatus PasteboardCreate(CFStringRef, PasteboardRef*)
            PasteboardSyncFlags PasteboardSynchronize(PasteboardRef)
            OSStatus PasteboardClear(PasteboardRef)
            OSStatus PasteboardGetItemCount(PasteboardRef, ItemCount*)
        """,
        "IOKit": """
            IOReturn IOPMAssertionCreateWithName(CFStringRef, IOPMAssertionLevel, CFStringRef, IOPMAssertionID*)
            CFDictionaryRef IOPMAssertionCopyProperties(IOPMAssertionID)
            IOReturn IOPMAssertionRelease(IOPMAssertionID)
            CFMutableDictionaryRef IOServiceMatching(const char*)
            kern_return_t IOServiceGetMatchingServices(mach_port_t, CFDictionaryRef, io_iterator_t*)
            io_object_t IOIteratorNext(io_iterator_t)
            kern_return_t IOObjectRelease(io_object_t)
            CFTypeRef IORegistryEntryCreateCFProperty(io_registry_entry_t, CFStringRef, CFAllocatorRef, IOOptionBits)
            CFTypeRef IORegistryEntrySearchCFProperty(io_registry_entry_t, const char*, CFStringRef, CFAllocatorRef, IOOptionBits)
        """,  # noqa: E501
        "libSystem": """
            int sysctlbyname(const char*, void*, size_t*, void*, size_t)
            int sysctl(int*, u_int, void*, size_t*, void*, size_t)
        """,
    }
)


class CGRect(ctypes.Structure):
    """A rectangle in points: its top left corner, its width and its height."""

    _fields_ = tuple((name, ctypes.c_double) for name in ("x", "y", "width", "height"))


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p)
"""``CGEventTapCallBack``: proxy, type, event, whatever was handed in; returns the event, or nothing to swallow it."""

_REFERENCES = (
    *("CFAllocatorRef", "CFArrayRef", "CFBooleanRef", "CFDictionaryRef", "CFMachPortRef", "CFMutableDictionaryRef"),
    *("CFNumberRef", "CFRunLoopMode", "CFRunLoopRef", "CFRunLoopSourceRef", "CFStringRef", "CFTypeRef", "CGEventRef"),
    *("PasteboardRef", "const void*", "void*"),
)
_UNSIGNED_32 = (
    *("CGDirectDisplayID", "CGEventField", "CGEventTapLocation", "CGEventTapOptions", "CGEventTapPlacement"),
    *("CGWindowID", "CGWindowListOption", "CFStringEncoding", "IOOptionBits", "IOPMAssertionID", "IOPMAssertionLevel"),
    *("PasteboardSyncFlags", "io_iterator_t", "io_object_t", "io_registry_entry_t", "mach_port_t", "u_int", "uint32_t"),
)
_SIGNED_32 = ("CGError", "IOReturn", "OSStatus", "SInt32", "int", "kern_return_t")
TYPES: Mapping[str, Any] = {
    "void": None,
    **dict.fromkeys(_REFERENCES, ctypes.c_void_p),
    **dict.fromkeys(_UNSIGNED_32, ctypes.c_uint32),
    **dict.fromkeys(_SIGNED_32, ctypes.c_int32),
    **dict.fromkeys(("CFIndex", "CFNumberType"), ctypes.c_long),
    **dict.fromkeys(("CFTypeID", "size_t"), ctypes.c_size_t),
    **dict.fromkeys(("CGEventFlags", "CGEventMask"), ctypes.c_uint64),
    "Boolean": ctypes.c_uint8,
    "bool": ctypes.c_bool,
    "boolean_t": ctypes.c_int32,
    "CFTimeInterval": ctypes.c_double,
    "int64_t": ctypes.c_int64,
    "CGRect": CGRect,
    "CGEventTapCallBack": CALLBACK,
    **dict.fromkeys(("const char*", "char*"), ctypes.c_char_p),
    "PasteboardRef*": ctypes.POINTER(ctypes.c_void_p),
    **dict.fromkeys(
        ("uint32_t*", "CGDirectDisplayID*", "IOPMAssertionID*", "io_iterator_t*"), ctypes.POINTER(ctypes.c_uint32)
    ),
    **dict.fromkeys(("size_t*", "ItemCount*"), ctypes.POINTER(ctypes.c_size_t)),
    "int*": ctypes.POINTER(ctypes.c_int32),
}
"""C's names for what a function returns and takes, as macOS lays them out on both of its processors."""


class Api(Protocol):
    """macOS' functions by their names: ``Functions`` on macOS, a stand-in that answers in the tests."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the function ``name``, one of ``PROTOTYPES``. Raises ``Unsupported`` where macOS lacks it."""
        ...


class Functions:
    """The real functions, each looked up when it is first called, in the system's own folders."""

    def __init__(self) -> None:
        self._libraries: dict[str, ctypes.CDLL] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the function ``name`` with its types. Raises ``Unsupported`` where macOS lacks it."""
        prototype = PROTOTYPES.get(name)
        if prototype is None:
            raise AttributeError(name)
        try:
            function = getattr(self._library(prototype.library), name)
        except (AttributeError, OSError) as error:
            raise unsupported(f"This macOS has no {name} in {prototype.library}.", "Update macOS.") from error
        function.restype, function.argtypes = TYPES[prototype.result], [TYPES[one] for one in prototype.parameters]
        setattr(self, name, function)
        return function  # type: ignore[no-any-return]

    def _library(self, name: str) -> ctypes.CDLL:
        if name not in self._libraries:
            self._libraries[name] = ctypes.CDLL(_FILES[name])
        return self._libraries[name]

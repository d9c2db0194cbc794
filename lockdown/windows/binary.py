"""Windows' types and structures as ctypes lays them out, under their C names. Layout only; no call is made here.

The sizes are written out: ``ctypes.wintypes`` is right on Windows only (its ``DWORD`` has eight bytes on Linux).
64-bit Windows has one calling convention, so ``CDLL`` and ``CFUNCTYPE`` are the right kinds; there is no 32-bit build,
since Qt has no web engine for it.
"""

import ctypes
from collections.abc import Mapping
from typing import Any

BOOL = ctypes.c_int32
BYTE = ctypes.c_uint8
WORD = ctypes.c_uint16
DWORD = ctypes.c_uint32
LONG = ctypes.c_int32
POINTER_SIZED = ctypes.c_ssize_t
UNSIGNED_POINTER_SIZED = ctypes.c_size_t
HANDLE = ctypes.c_void_p
WIDE_TEXT = ctypes.c_wchar_p

WNDENUMPROC = ctypes.CFUNCTYPE(BOOL, HANDLE, POINTER_SIZED)
HOOKPROC = ctypes.CFUNCTYPE(POINTER_SIZED, ctypes.c_int, UNSIGNED_POINTER_SIZED, POINTER_SIZED)


class RECT(ctypes.Structure):
    """A rectangle in pixels of the virtual screen; right and bottom are outside."""

    _fields_ = (("left", LONG), ("top", LONG), ("right", LONG), ("bottom", LONG))


class POINT(ctypes.Structure):
    """A place on the virtual screen."""

    _fields_ = (("x", LONG), ("y", LONG))


class MSG(ctypes.Structure):
    """A message of a thread's queue."""

    _fields_ = (
        ("hwnd", HANDLE),
        ("message", DWORD),
        ("wParam", UNSIGNED_POINTER_SIZED),
        ("lParam", POINTER_SIZED),
        ("time", DWORD),
        ("pt", POINT),
    )


class KBDLLHOOKSTRUCT(ctypes.Structure):
    """What a low-level keyboard hook is told of one key."""

    _fields_ = (
        ("vkCode", DWORD),
        ("scanCode", DWORD),
        ("flags", DWORD),
        ("time", DWORD),
        ("dwExtraInfo", UNSIGNED_POINTER_SIZED),
    )


class STICKYKEYS(ctypes.Structure):
    """Settings of the sticky keys."""

    _fields_ = (("cbSize", DWORD), ("dwFlags", DWORD))


class TOGGLEKEYS(ctypes.Structure):
    """Settings of the toggle keys."""

    _fields_ = (("cbSize", DWORD), ("dwFlags", DWORD))


class FILTERKEYS(ctypes.Structure):
    """Settings of the filter keys."""

    _fields_ = (
        ("cbSize", DWORD),
        ("dwFlags", DWORD),
        ("iWaitMSec", DWORD),
        ("iDelayMSec", DWORD),
        ("iRepeatMSec", DWORD),
        ("iBounceMSec", DWORD),
    )


class LUID(ctypes.Structure):
    """A number of an adapter, unique until the next start."""

    _fields_ = (("LowPart", DWORD), ("HighPart", LONG))


class DISPLAYCONFIG_RATIONAL(ctypes.Structure):  # noqa: N801  (C's name; the headers are compared by it)
    """A fraction."""

    _fields_ = (("Numerator", DWORD), ("Denominator", DWORD))


class DISPLAYCONFIG_PATH_SOURCE_INFO(ctypes.Structure):  # noqa: N801
    """The picture that a path shows."""

    _fields_ = (("adapterId", LUID), ("id", DWORD), ("modeInfoIdx", DWORD), ("statusFlags", DWORD))


class DISPLAYCONFIG_PATH_TARGET_INFO(ctypes.Structure):  # noqa: N801
    """The display that a path ends at."""

    _fields_ = (
        ("adapterId", LUID),
        ("id", DWORD),
        ("modeInfoIdx", DWORD),
        ("outputTechnology", DWORD),
        ("rotation", DWORD),
        ("scaling", DWORD),
        ("refreshRate", DISPLAYCONFIG_RATIONAL),
        ("scanLineOrdering", DWORD),
        ("targetAvailable", BOOL),
        ("statusFlags", DWORD),
    )


class DISPLAYCONFIG_PATH_INFO(ctypes.Structure):  # noqa: N801
    """From a picture to a display."""

    _fields_ = (
        ("sourceInfo", DISPLAYCONFIG_PATH_SOURCE_INFO),
        ("targetInfo", DISPLAYCONFIG_PATH_TARGET_INFO),
        ("flags", DWORD),
    )


class DISPLAYCONFIG_SOURCE_MODE(ctypes.Structure):  # noqa: N801
    """Size and place of a picture on the virtual screen."""

    _fields_ = (("width", DWORD), ("height", DWORD), ("pixelFormat", DWORD), ("position", POINT))


class _ModeOfSource(ctypes.Union):
    _fields_ = (("sourceMode", DISPLAYCONFIG_SOURCE_MODE), ("_room", ctypes.c_uint64 * 6))


class DISPLAYCONFIG_MODE_INFO(ctypes.Structure):  # noqa: N801
    """A mode; of its union only the picture's is read here, where ``infoType`` is 1."""

    _anonymous_ = ("_mode",)
    _fields_ = (("infoType", DWORD), ("id", DWORD), ("adapterId", LUID), ("_mode", _ModeOfSource))


class DISPLAYCONFIG_DEVICE_INFO_HEADER(ctypes.Structure):  # noqa: N801
    """What is asked, of which display."""

    _fields_ = (("type", DWORD), ("size", DWORD), ("adapterId", LUID), ("id", DWORD))


class DISPLAYCONFIG_TARGET_DEVICE_NAME(ctypes.Structure):  # noqa: N801
    """A display's names."""

    _fields_ = (
        ("header", DISPLAYCONFIG_DEVICE_INFO_HEADER),
        ("flags", DWORD),
        ("outputTechnology", DWORD),
        ("edidManufactureId", WORD),
        ("edidProductCodeId", WORD),
        ("connectorInstance", DWORD),
        ("monitorFriendlyDeviceName", WORD * 64),
        ("monitorDevicePath", WORD * 128),
    )


class GUID(ctypes.Structure):
    """A globally unique identifier."""

    _fields_ = (("Data1", DWORD), ("Data2", WORD), ("Data3", WORD), ("Data4", BYTE * 8))


class STORAGE_PROPERTY_QUERY(ctypes.Structure):  # noqa: N801
    """What is asked of a disk."""

    _fields_ = (("PropertyId", DWORD), ("QueryType", DWORD), ("AdditionalParameters", BYTE * 1))


class STORAGE_DEVICE_DESCRIPTOR(ctypes.Structure):  # noqa: N801
    """What a disk is; offsets count from its beginning, texts are ASCII and end with a zero."""

    _fields_ = (
        ("Version", DWORD),
        ("Size", DWORD),
        ("DeviceType", BYTE),
        ("DeviceTypeModifier", BYTE),
        ("RemovableMedia", BYTE),
        ("CommandQueueing", BYTE),
        ("VendorIdOffset", DWORD),
        ("ProductIdOffset", DWORD),
        ("ProductRevisionOffset", DWORD),
        ("SerialNumberOffset", DWORD),
        ("BusType", DWORD),
        ("RawPropertiesLength", DWORD),
        ("RawDeviceProperties", BYTE * 1),
    )


class DISK_GEOMETRY_EX(ctypes.Structure):  # noqa: N801
    """How large a disk is, in bytes; the geometry before that is of no use any more."""

    _fields_ = (("_geometry", BYTE * 24), ("DiskSize", ctypes.c_int64), ("Data", BYTE * 1))


class REASON_CONTEXT(ctypes.Structure):  # noqa: N801
    """Why a power request is made: the simple form of the union ``Reason``, and room for the other."""

    _fields_ = (
        ("Version", DWORD),
        ("Flags", DWORD),
        ("Reason", WIDE_TEXT),
        ("_room", ctypes.c_uint64 * 2),
    )


class WINTRUST_FILE_INFO(ctypes.Structure):  # noqa: N801
    """The file whose signature is checked."""

    _fields_ = (("cbStruct", DWORD), ("pcwszFilePath", WIDE_TEXT), ("hFile", HANDLE), ("pgKnownSubject", HANDLE))


class WINTRUST_DATA(ctypes.Structure):  # noqa: N801
    """How a signature is checked; the form of Windows 7, which the later ones take as well."""

    _fields_ = (
        ("cbStruct", DWORD),
        ("pPolicyCallbackData", HANDLE),
        ("pSIPClientData", HANDLE),
        ("dwUIChoice", DWORD),
        ("fdwRevocationChecks", DWORD),
        ("dwUnionChoice", DWORD),
        ("pFile", ctypes.POINTER(WINTRUST_FILE_INFO)),
        ("dwStateAction", DWORD),
        ("hWVTStateData", HANDLE),
        ("pwszURLReference", WIDE_TEXT),
        ("dwProvFlags", DWORD),
        ("dwUIContext", DWORD),
    )


class CRYPT_PROVIDER_CERT(ctypes.Structure):  # noqa: N801
    """A certificate of a signer's chain; only its first two fields, and it is only read."""

    _fields_ = (("cbStruct", DWORD), ("pCert", HANDLE))


TYPES: Mapping[str, Any] = {
    "void": None,
    "void*": ctypes.c_void_p,
    "const void*": ctypes.c_void_p,
    "void**": ctypes.POINTER(ctypes.c_void_p),
    **dict.fromkeys(("BOOL", "LONG", "HRESULT", "NTSTATUS", "int", "POWER_REQUEST_TYPE"), LONG),
    **dict.fromkeys(("DWORD", "UINT", "ULONG", "UINT32", "CONFIGRET", "POWER_INFORMATION_LEVEL"), DWORD),
    "BYTE": BYTE,
    "SHORT": ctypes.c_int16,
    **dict.fromkeys(("LPARAM", "LRESULT", "LONG_PTR"), POINTER_SIZED),
    **dict.fromkeys(("WPARAM", "UINT_PTR"), UNSIGNED_POINTER_SIZED),
    **dict.fromkeys(("HANDLE", "HWND", "HHOOK", "HINSTANCE", "HMODULE", "PCCERT_CONTEXT", "TIMERPROC"), HANDLE),
    **dict.fromkeys(("SECURITY_ATTRIBUTES*", "OVERLAPPED*"), HANDLE),
    **dict.fromkeys(("CRYPT_PROVIDER_DATA*", "CRYPT_PROVIDER_SGNR*", "DISPLAYCONFIG_TOPOLOGY_ID*"), HANDLE),
    **dict.fromkeys(("LPCWSTR", "PCWSTR"), WIDE_TEXT),
    **dict.fromkeys(("LPWSTR", "WCHAR*"), ctypes.POINTER(WORD)),
    "WNDENUMPROC": WNDENUMPROC,
    "HOOKPROC": HOOKPROC,
    **{
        f"{kind.__name__}*": ctypes.POINTER(kind)
        for kind in (
            RECT,
            MSG,
            GUID,
            REASON_CONTEXT,
            CRYPT_PROVIDER_CERT,
            DISPLAYCONFIG_PATH_INFO,
            DISPLAYCONFIG_MODE_INFO,
            DISPLAYCONFIG_DEVICE_INFO_HEADER,
        )
    },
    **dict.fromkeys(("DWORD*", "UINT*", "UINT32*", "ULONG*"), ctypes.POINTER(DWORD)),
    "BOOL*": ctypes.POINTER(BOOL),
    "BYTE*": ctypes.POINTER(BYTE),
}
"""C's names for what a function returns and takes."""

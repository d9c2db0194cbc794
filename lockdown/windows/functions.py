"""Every function of Windows that is called, as its headers declare it, and the real ones behind those names.

``Functions`` looks a library up in the system's own folder only: a ``version.dll`` that lies beside the program is a
well-known way into other people's programs.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from lockdown import prototypes
from lockdown.capabilities import unsupported
from lockdown.windows import binary

_SYSTEM_FOLDER_ONLY = 0x800  # LOAD_LIBRARY_SEARCH_SYSTEM32

PROTOTYPES = prototypes.read(
    {
        "user32": """
        BOOL EnumWindows(WNDENUMPROC, LPARAM)
        BOOL IsWindowVisible(HWND)
        BOOL IsIconic(HWND)
        BOOL GetWindowRect(HWND, RECT*)
        DWORD GetWindowThreadProcessId(HWND, DWORD*)
        LONG_PTR GetWindowLongPtrW(HWND, int)
        BOOL GetWindowDisplayAffinity(HWND, DWORD*)
        HWND GetForegroundWindow(void)
        BOOL PostMessageW(HWND, UINT, WPARAM, LPARAM)
        int CountClipboardFormats(void)
        HWND GetClipboardOwner(void)
        BOOL OpenClipboard(HWND)
        BOOL EmptyClipboard(void)
        BOOL CloseClipboard(void)
        HHOOK SetWindowsHookExW(int, HOOKPROC, HINSTANCE, DWORD)
        BOOL UnhookWindowsHookEx(HHOOK)
        LRESULT CallNextHookEx(HHOOK, int, WPARAM, LPARAM)
        SHORT GetAsyncKeyState(int)
        BOOL GetMessageW(MSG*, HWND, UINT, UINT)
        BOOL PostThreadMessageW(DWORD, UINT, WPARAM, LPARAM)
        UINT_PTR SetTimer(HWND, UINT_PTR, UINT, TIMERPROC)
        int GetSystemMetrics(int)
        BOOL SystemParametersInfoW(UINT, UINT, void*, UINT)
        LONG GetDisplayConfigBufferSizes(UINT32, UINT32*, UINT32*)
        LONG QueryDisplayConfig(UINT32, UINT32*, DISPLAYCONFIG_PATH_INFO*, UINT32*, DISPLAYCONFIG_MODE_INFO*, DISPLAYCONFIG_TOPOLOGY_ID*)
        LONG DisplayConfigGetDeviceInfo(DISPLAYCONFIG_DEVICE_INFO_HEADER*)
    """,  # noqa: E501
        "dwmapi": "HRESULT DwmGetWindowAttribute(HWND, DWORD, void*, DWORD)",
        "kernel32": """
        HMODULE GetModuleHandleW(LPCWSTR)
        DWORD GetCurrentThreadId(void)
        DWORD GetCurrentProcessId(void)
        BOOL ProcessIdToSessionId(DWORD, DWORD*)
        DWORD WTSGetActiveConsoleSessionId(void)
        BOOL IsDebuggerPresent(void)
        BOOL CheckRemoteDebuggerPresent(HANDLE, BOOL*)
        HANDLE OpenProcess(DWORD, BOOL, DWORD)
        BOOL CloseHandle(HANDLE)
        UINT GetSystemFirmwareTable(DWORD, DWORD, void*, DWORD)
        HANDLE CreateFileW(LPCWSTR, DWORD, DWORD, SECURITY_ATTRIBUTES*, DWORD, DWORD, HANDLE)
        BOOL DeviceIoControl(HANDLE, DWORD, void*, DWORD, void*, DWORD, DWORD*, OVERLAPPED*)
        HANDLE PowerCreateRequest(REASON_CONTEXT*)
        BOOL PowerSetRequest(HANDLE, POWER_REQUEST_TYPE)
    """,
        "powrprof": "NTSTATUS CallNtPowerInformation(POWER_INFORMATION_LEVEL, void*, ULONG, void*, ULONG)",
        "cfgmgr32": """
        CONFIGRET CM_Get_Device_ID_List_SizeW(ULONG*, PCWSTR, ULONG)
        CONFIGRET CM_Get_Device_ID_ListW(PCWSTR, WCHAR*, ULONG, ULONG)
        CONFIGRET CM_Locate_DevNodeW(DWORD*, WCHAR*, ULONG)
        CONFIGRET CM_Get_DevNode_Registry_PropertyW(DWORD, ULONG, ULONG*, void*, ULONG*, ULONG)
    """,
        "version": """
        DWORD GetFileVersionInfoSizeW(LPCWSTR, DWORD*)
        BOOL GetFileVersionInfoW(LPCWSTR, DWORD, DWORD, void*)
        BOOL VerQueryValueW(const void*, LPCWSTR, void**, UINT*)
    """,
        "wintrust": """
        LONG WinVerifyTrust(HWND, GUID*, void*)
        CRYPT_PROVIDER_DATA* WTHelperProvDataFromStateData(HANDLE)
        CRYPT_PROVIDER_SGNR* WTHelperGetProvSignerFromChain(CRYPT_PROVIDER_DATA*, DWORD, BOOL, DWORD)
        CRYPT_PROVIDER_CERT* WTHelperGetProvCertFromChain(CRYPT_PROVIDER_SGNR*, DWORD)
    """,
        "crypt32": "DWORD CertGetNameStringW(PCCERT_CONTEXT, DWORD, DWORD, void*, LPWSTR, DWORD)",
    }
)


class Api(Protocol):
    """Windows' functions by their names: ``Functions`` on Windows, a stand-in that answers in the tests."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the function ``name``, one of ``PROTOTYPES``. Raises ``Unsupported`` where Windows lacks it."""
        ...


class Functions:
    """The real functions, each looked up when it is first called: an older Windows lacks some."""

    def __init__(self) -> None:
        self._libraries: dict[str, ctypes.CDLL] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the function ``name`` with its types. Raises ``Unsupported`` where Windows lacks it."""
        prototype = PROTOTYPES.get(name)
        if prototype is None:
            raise AttributeError(name)
        try:
            function = getattr(self._library(prototype.library), name)
        except (AttributeError, OSError) as error:
            raise unsupported(f"This Windows has no {name} in {prototype.library}.", "Update Windows.") from error
        function.restype, function.argtypes = result_of(prototype), parameters_of(prototype)
        setattr(self, name, function)
        return function  # type: ignore[no-any-return]

    def _library(self, name: str) -> ctypes.CDLL:
        if name not in self._libraries:
            self._libraries[name] = ctypes.CDLL(f"{name}.dll", winmode=_SYSTEM_FOLDER_ONLY)
        return self._libraries[name]


def result_of(prototype: prototypes.Prototype, types: Mapping[str, Any] = binary.TYPES) -> Any:
    """Return the ctypes type of what the function returns, ``None`` for nothing."""
    return types[prototype.result]


def parameters_of(prototype: prototypes.Prototype, types: Mapping[str, Any] = binary.TYPES) -> list[Any]:
    """Return the ctypes types of what the function takes."""
    return [types[name] for name in prototype.parameters]

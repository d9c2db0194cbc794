"""Which displays show a picture, and which one. Names come from the displays themselves; serial numbers stay there."""

import ctypes
from collections.abc import Sequence

from lockdown.capabilities import unsupported
from lockdown.environment.displays import Screen
from lockdown.windows import constants as c
from lockdown.windows.binary import (
    DISPLAYCONFIG_MODE_INFO,
    DISPLAYCONFIG_PATH_INFO,
    DISPLAYCONFIG_TARGET_DEVICE_NAME,
    DWORD,
)
from lockdown.windows.functions import Api

TRIES = 5
_CONNECTORS = {
    0: "VGA",
    4: "DVI",
    5: "HDMI",
    6: "LVDS",
    10: "DP",
    11: "eDP",
    c.DISPLAYCONFIG_OUTPUT_TECHNOLOGY_MIRACAST: "wireless",
    c.DISPLAYCONFIG_OUTPUT_TECHNOLOGY_INDIRECT_WIRED: "USB",
    c.DISPLAYCONFIG_OUTPUT_TECHNOLOGY_INDIRECT_VIRTUAL: "virtual",
    0x80000000: "eDP",  # an internal panel, however it is connected
}


def screens(api: Api) -> Sequence[Screen]:
    """Return every display in use. Two with the same ``picture`` are mirrored. Raises ``Unsupported``."""
    paths, modes = _configuration(api)
    return [_screen(api, path, modes) for path in paths]


def _configuration(api: Api) -> tuple[Sequence[DISPLAYCONFIG_PATH_INFO], Sequence[DISPLAYCONFIG_MODE_INFO]]:
    for _ in range(TRIES):  # it may grow between the two questions
        path_count, mode_count = DWORD(), DWORD()
        answer = api.GetDisplayConfigBufferSizes(
            c.QDC_ONLY_ACTIVE_PATHS, ctypes.byref(path_count), ctypes.byref(mode_count)
        )
        if answer != c.ERROR_SUCCESS:
            break
        paths = (DISPLAYCONFIG_PATH_INFO * path_count.value)()
        modes = (DISPLAYCONFIG_MODE_INFO * mode_count.value)()
        answer = api.QueryDisplayConfig(
            c.QDC_ONLY_ACTIVE_PATHS, ctypes.byref(path_count), paths, ctypes.byref(mode_count), modes, None
        )
        if answer == c.ERROR_SUCCESS:
            return list(paths)[: path_count.value], list(modes)[: mode_count.value]
        if answer != c.ERROR_INSUFFICIENT_BUFFER:
            break
    raise unsupported(
        "Windows does not say which displays there are.", "Start Fairlock from the desktop, not remotely."
    )


def _screen(api: Api, path: DISPLAYCONFIG_PATH_INFO, modes: Sequence[DISPLAYCONFIG_MODE_INFO]) -> Screen:
    source, target = path.sourceInfo, path.targetInfo
    kind = _CONNECTORS.get(target.outputTechnology, "display")
    return Screen(
        connector=f"{kind}-{target.id & 0xFFFF}",
        title=_title(api, path),
        place=_place(source.modeInfoIdx, modes),
        picture=f"{source.adapterId.HighPart:x}:{source.adapterId.LowPart:x}:{source.id}",
    )


def _title(api: Api, path: DISPLAYCONFIG_PATH_INFO) -> str:
    name = DISPLAYCONFIG_TARGET_DEVICE_NAME()
    name.header.type = c.DISPLAYCONFIG_DEVICE_INFO_GET_TARGET_NAME
    name.header.size = ctypes.sizeof(name)
    name.header.adapterId = path.targetInfo.adapterId
    name.header.id = path.targetInfo.id
    if api.DisplayConfigGetDeviceInfo(ctypes.byref(name.header)) != c.ERROR_SUCCESS:
        return ""
    return bytes(name.monitorFriendlyDeviceName).decode("utf-16-le", errors="replace").partition("\0")[0]


def _place(index: int, modes: Sequence[DISPLAYCONFIG_MODE_INFO]) -> str:
    if index >= len(modes) or modes[index].infoType != c.DISPLAYCONFIG_MODE_INFO_TYPE_SOURCE:
        return ""
    mode = modes[index].sourceMode
    return f"{mode.width}x{mode.height}{mode.position.x:+d}{mode.position.y:+d}"

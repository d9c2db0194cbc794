"""Which displays show a picture, and which one. macOS gives a display's maker and model as numbers."""

import ctypes
from collections.abc import Sequence

from lockdown.capabilities import unsupported
from lockdown.environment.displays import Screen
from lockdown.macos.functions import Api

MOST = 32
_DONE = 0  # kCGErrorSuccess
_UNKNOWN = (0, 0xFFFFFFFF)


def screens(api: Api) -> Sequence[Screen]:
    """Return every display in use, mirrored ones too. Raises ``Unsupported``."""
    numbers, count = (ctypes.c_uint32 * MOST)(), ctypes.c_uint32()
    if api.CGGetOnlineDisplayList(MOST, numbers, ctypes.byref(count)) != _DONE or not count.value:
        raise unsupported("macOS does not say which displays there are.", "Start Fairlock from the desktop.")
    return [_screen(api, number) for number in numbers[: count.value]]


def _screen(api: Api, number: int) -> Screen:
    place = api.CGDisplayBounds(number)
    vendor, model = api.CGDisplayVendorNumber(number), api.CGDisplayModelNumber(number)
    built_in = bool(api.CGDisplayIsBuiltin(number))
    return Screen(
        connector=f"{'eDP' if built_in else 'display'}-{number}",
        title=f"{_maker(vendor)} {model:04X}" if vendor not in _UNKNOWN else "",
        place=f"{round(place.width)}x{round(place.height)}{round(place.x):+d}{round(place.y):+d}",
        # A display that mirrors another one shows that one's picture.
        picture=str(api.CGDisplayMirrorsDisplay(number) or number),
    )


def _maker(vendor: int) -> str:
    """Return the three letters of a maker as EDID packs them (five bits each, A is 1), or its number."""
    letters = [(vendor >> shift) & 0b11111 for shift in (10, 5, 0)]
    if vendor < 1 << 15 and all(1 <= letter <= 26 for letter in letters):
        return "".join(chr(ord("A") + letter - 1) for letter in letters)
    return f"{vendor:04X}"

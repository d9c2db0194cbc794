"""Signs that a camera or a sound card is made by a program. Pure; the devices are read elsewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lockdown.environment.evidence import Evidence, Signal, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaDevice:
    """A camera or a sound card. ``on_a_bus``: the system knows which hardware it is part of.

    ``driver`` is its kernel driver's name, empty if not known; ``relays``: a driver for cameras made by programs is
    loaded.
    """

    is_camera: bool
    name: str
    driver: str = ""
    on_a_bus: bool = True
    relays: bool = False


_NAMES = re.compile(
    r"\bobs\b|v4l2 ?loopback|dummy|droidcam|manycam|iriun|xsplit|snap camera|epoccam|ivcam|camo\b|akvirtualcamera|"
    r"virtual (camera|cam|webcam|video|audio|mic|sound|cable)|\bvcam\b|loopback|\bvivid\b|vimc|blackhole|vb-audio|"
    r"soundflower",
    re.IGNORECASE,
)
_DRIVERS = frozenset({"v4l2loopback", "v4l2 loopback", "vivid", "vimc", "snd_aloop", "snd_dummy", "akvcam"})
_RELAYED = re.compile(r"intel mipi|intel ipu|\bipu\d", re.IGNORECASE)
"""Built-in cameras of recent laptops reach programs through v4l2loopback: made by a program, and quite honest."""


def signs_of_made_up_device(device: MediaDevice) -> Evidence | None:
    """Return the signs that ``device`` is made by a program, or ``None`` if there is none."""
    signals = tuple(_signals(device))
    if not signals:
        return None
    facts = {"device": "camera" if device.is_camera else "sound card"}
    return Evidence(subject=Subject.VIRTUAL_DEVICES, name=device.name, signals=signals, facts=facts)


def _signals(device: MediaDevice) -> Iterator[Signal]:
    what = "camera" if device.is_camera else "sound card"
    is_relayed = device.is_camera and _RELAYED.search(device.name) is not None
    if _NAMES.search(device.name):
        yield Signal(says=f'the {what} is called "{device.name}"', weight=700)
    if not is_relayed and device.driver.lower() in _DRIVERS:
        yield Signal(says=f"its driver is {device.driver}", weight=700)
    if not device.on_a_bus:
        # A sound card on no bus may be one built into the board of a small computer.
        weight = 150 if is_relayed or not device.is_camera else 450
        yield Signal(says=f"the {what} belongs to no hardware", weight=weight)
        if device.relays and device.is_camera:
            yield Signal(says="the driver for cameras made by programs is loaded", weight=300)

"""Reads which cameras and sound cards the kernel knows. None is opened.

A microphone that PulseAudio or PipeWire makes (a null sink's monitor, say) is not in the kernel and is not seen.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lockdown.environment.media import MediaDevice
from lockdown.linux_system.roots import Roots, entries, real, text

_CARD = re.compile(r"^\s*(\d+) \[[^\]]*\]: (.+?)\s+-\s+(.+)$", re.MULTILINE)


def read_media_devices(roots: Roots) -> Sequence[MediaDevice]:
    """Return every camera and sound card; a camera's several files count once."""
    return [*dict.fromkeys(_cameras(roots)), *_sound_cards(roots)]


def _cameras(roots: Roots) -> Iterator[MediaDevice]:
    relays = (roots.sys / "module/v4l2loopback").exists()
    for device in entries(roots.sys / "class/video4linux"):
        name = text(device / "name")
        if name and device.name.startswith("video"):
            yield MediaDevice(
                is_camera=True,
                name=name,
                driver=Path(real(device / "device/driver")).name,
                on_a_bus="/devices/virtual/" not in f"{real(device)}/",
                relays=relays,
            )


def _sound_cards(roots: Roots) -> Iterator[MediaDevice]:
    for number, driver, name in _CARD.findall(text(roots.proc / "asound/cards")):
        yield MediaDevice(
            is_camera=False,
            name=name.strip(),
            driver=text(roots.sys / f"class/sound/card{number}/device/driver_name") or _driver(driver),
            on_a_bus="/devices/virtual/" not in f"{real(roots.sys / f'class/sound/card{number}')}/",
        )


def _driver(name: str) -> str:
    """The short name in ``/proc/asound/cards``: "Loopback" and "Dummy" are the drivers that make cards up."""
    return {"Loopback": "snd_aloop", "Dummy": "snd_dummy"}.get(name.strip(), name.strip())

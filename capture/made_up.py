"""Names by which cameras and microphones that a program makes give themselves away. Data and one question; pure.

For what the sound and camera systems offer to programs, of which the kernel may know nothing (a monitor of PulseAudio,
a driver in user space). What the kernel knows is looked at elsewhere, with more to go by than a name.
"""

import re

_NAMES = re.compile(
    r"\bobs\b|v4l2 ?loopback|droidcam|manycam|iriun|xsplit|snap camera|epoccam|ivcam|camo\b|akvirtualcamera|"
    r"virtual (camera|cam|webcam|video|audio|mic|sound|cable)|\bvcam\b|loopback|\bvivid\b|vimc|blackhole|vb-audio|"
    r"soundflower|^monitor of |\bnull (output|sink)|stereo mix|what u hear",
    re.IGNORECASE,
)


def sounds_made_up(name: str) -> bool:
    """Say whether a device is called like those that programs make. A name is a hint, never proof."""
    return _NAMES.search(name) is not None

"""Every Chromium flag and every environment variable for Qt, in one place, each with its reason.

Must run before the engine's first use (the first profile), which is after the policy is known: so that even the
engine's name resolution knows only the hosts of the exam. ``app.launch`` has removed what came from outside.
"""

import os
from collections.abc import Sequence
from pathlib import Path

FLAGS_VARIABLE = "QTWEBENGINE_CHROMIUM_FLAGS"

FLAGS: tuple[str, ...] = (
    "--disable-background-networking",  # nothing but the exam is fetched
    "--disable-breakpad",  # no crash reports to anybody
    "--disable-component-update",  # an exam never changes its engine
    "--disable-domain-reliability",  # no reports to anybody
    "--disable-notifications",  # nothing may cover or leave the exam
    "--disable-speech-api",  # speech would be sent to a third party
    "--disable-sync",
    "--dns-prefetch-disable",  # a look-up can carry text out
    "--no-pings",  # so can a hyperlink audit
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # WebRTC's UDP is not seen by the interceptor
)

BLINK_FEATURES_OFF: tuple[str, ...] = (
    "DirectSockets",
    "Serial",
    "WebBluetooth",
    "WebHID",
    "WebTransport",  # QUIC of its own, not seen by the interceptor
    "WebUSB",
)

RENDER_NODES = Path("/dev/dri")


def flags(hosts: Sequence[str], *, software_drawing: bool) -> tuple[str, ...]:
    """Return Chromium's command line for an exam that may reach ``hosts`` (``Gate.hosts``).

    The resolver rule is the third fence after navigation and interceptor: connections of service workers are known
    to slip past interceptors (electron #47857). ``~NOTFOUND`` makes every other name, and address, unknown.
    """
    rules = ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host.strip('[]')}" for host in hosts)])
    lines = [*FLAGS, f"--disable-blink-features={','.join(BLINK_FEATURES_OFF)}", f"--host-resolver-rules={rules}"]
    if software_drawing:
        lines.append("--disable-gpu")  # 60 MiB less, and no attempts that fail, where there is no graphics card
    return tuple(lines)


def configure(hosts: Sequence[str], *, software_drawing: bool) -> None:
    """Write the flags to where the engine reads them, once; later calls change nothing in a running engine."""
    os.environ[FLAGS_VARIABLE] = " ".join(_quote(flag) for flag in flags(hosts, software_drawing=software_drawing))


def has_no_graphics_card(platform: str) -> bool:
    """Whether Chromium would only try in vain to use one (``platform`` is Qt's name for the window system)."""
    return platform == "offscreen" or (platform in ("xcb", "wayland") and not RENDER_NODES.exists())


def _quote(flag: str) -> str:
    """Qt splits the variable like a shell does: a flag with spaces needs quotes."""
    return f'"{flag}"' if " " in flag else flag

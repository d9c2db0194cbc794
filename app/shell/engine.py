"""Every Chromium flag and every environment variable for Qt, in one place, each with its reason.

Must run before the engine's first use (the first profile), which is after the policy is known: so that even the
engine's name resolution knows only the hosts of the exam. ``app.launch`` has removed what came from outside.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

from app.shell import route

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
    # Reach out in the background, or after the page is gone.
    "AdInterestGroupAPI",
    "BackgroundFetch",
    "FedCm",
    "FencedFrames",
    "FetchLaterAPI",
    "Fledge",
    "SharedStorageAPI",
    # Show the exam elsewhere, or something over it.
    "DocumentPictureInPictureAPI",
    "Presentation",
    "RemotePlayback",
    # The candidate's machine and what is attached to it.
    "DirectSockets",
    "FileSystemAccessLocal",
    "FontAccess",
    "Serial",
    "WebBluetooth",
    "WebHID",
    "WebUSB",
    # Ends the page when it is used, for its service is not there.
    "ScriptedSpeechRecognition",
    "UnprefixedSpeechRecognition",
)

_PAC_NAMES = {
    QNetworkProxy.ProxyType.HttpProxy: "PROXY",
    QNetworkProxy.ProxyType.HttpCachingProxy: "PROXY",
    QNetworkProxy.ProxyType.Socks5Proxy: "SOCKS5",
}
RENDER_NODES = Path("/dev/dri")


def flags(ways: route.Ways, *, software_drawing: bool) -> tuple[str, ...]:
    """Return Chromium's command line for an exam that may connect as ``ways`` say.

    The resolver rule is the third fence after navigation and interceptor, the route is the fourth: connections of
    workers slip past interceptors (electron #47857; docs/adr/0009). ``~NOTFOUND`` makes every other name, and every
    other address, unknown.
    """
    hosts = sorted({*(endpoint.host for endpoint in ways), *route.proxy_hosts(ways)})
    rules = ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host.strip('[]')}" for host in hosts)])
    lines = [*FLAGS, f"--disable-blink-features={','.join(BLINK_FEATURES_OFF)}", f"--host-resolver-rules={rules}"]
    lines += route.flags(ways)
    if software_drawing:
        lines.append("--disable-gpu")  # 60 MiB less, and no attempts that fail, where there is no graphics card
    return tuple(lines)


def configure(endpoints: Sequence[route.Endpoint], *, software_drawing: bool) -> None:
    """Write the flags to where the engine reads them, once; later calls change nothing in a running engine.

    May wait some seconds where the system has to look for its proxy first.
    """
    lines = flags(route.ways(endpoints, _system_proxy), software_drawing=software_drawing)
    os.environ[FLAGS_VARIABLE] = " ".join(_quote(line) for line in lines)


def has_no_graphics_card(platform: str) -> bool:
    """Whether Chromium would only try in vain to use one (``platform`` is Qt's name for the window system)."""
    return platform == "offscreen" or (platform in ("xcb", "wayland") and not RENDER_NODES.exists())


def _system_proxy(url: str) -> str:
    """Return the system's way to ``url`` as a PAC file writes it."""
    for proxy in QNetworkProxyFactory.systemProxyForQuery(QNetworkProxyQuery(QUrl(url))):
        kind = _PAC_NAMES.get(proxy.type())
        if kind is not None:
            return f"{kind} {proxy.hostName()}:{proxy.port()}"
    return route.DIRECT


def _quote(flag: str) -> str:
    """Qt splits the variable at spaces, but not within quotes."""
    return f'"{flag}"'

"""The fourth fence: which host and port the engine may connect to at all. Pure: addresses in, Chromium flags out.

Every request, web socket and preconnection of Chromium asks how to get there: directly, or by a proxy. Only the exam's
own hosts and ports have a way; for all others it is a proxy that does not exist. This also stops what no interceptor
sees: web sockets of service workers and shared workers, preconnections, WebTransport, WebRTC over TCP, reports
(docs/adr/0009). It does not know paths: within the exam's hosts and ports the interceptor alone decides.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

DEAD_END = "fairlock.invalid:1"
"""A proxy whose name is never resolved (``engine.flags`` sees to that): nobody can stand there and listen."""
DIRECT = "DIRECT"
_PROXY = re.compile(r"(PROXY|HTTPS|SOCKS5?) (\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}")
_SCRIPT = """function FindProxyForURL(url, host) {
  var open = %(open)s, parts = /^([a-z]+):\\/\\/(\\[[^\\]]*\\]|[^\\/:]+)(?::([0-9]+))?(?:\\/|$)/.exec(url);
  if (!parts) return "PROXY %(dead)s";
  var port = +(parts[3] || (/^(https|wss)$/.test(parts[1]) ? 443 : 80)), name = parts[2].toLowerCase();
  for (var i = 0; i < open.length; i++) {
    var wanted = open[i][0];
    var same = wanted.charAt(0) == "*" ? name.slice(1 - wanted.length) == wanted.slice(1) : name == wanted;
    if (same && port == open[i][1]) return open[i][2];
  }
  return "PROXY %(dead)s";
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A host as the gate writes it (``*.`` for everything below, brackets around IPv6) and a port."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """An address there, for asking the system for its proxy."""
        return f"{self.scheme}://{self.host.replace('*', 'www')}:{self.port}/"


Ways = Mapping[Endpoint, str]
"""How to get to each endpoint: ``DIRECT``, or a proxy as a PAC file writes it (``PROXY proxy.example.org:3128``)."""


def ways(endpoints: Sequence[Endpoint], proxy_for: Callable[[str], str]) -> Ways:
    """Ask the system (``proxy_for``: address in, way out) about each endpoint; what can't be read counts as direct."""
    found = {endpoint: proxy_for(endpoint.url) for endpoint in endpoints}
    return {endpoint: way if _PROXY.fullmatch(way) else DIRECT for endpoint, way in found.items()}


def proxy_hosts(known: Ways) -> tuple[str, ...]:
    """The proxies' hosts, which the engine must be able to resolve."""
    return tuple(sorted({way.partition(" ")[2].rpartition(":")[0] for way in known.values() if way != DIRECT}))


def flags(known: Ways) -> tuple[str, ...]:
    """Return Chromium's command line. A fixed dead end where nothing needs a proxy, a PAC file otherwise.

    The fixed one is kept for the usual case: it also holds for programs on this machine (``<-loopback>``), which a PAC
    file is never asked about, and it can't fail open.
    """
    if all(way == DIRECT for way in known.values()):
        bypass = ";".join(["<-loopback>", *sorted({f"{endpoint.host}:{endpoint.port}" for endpoint in known})])
        return (f"--proxy-server=http://{DEAD_END}", f"--proxy-bypass-list={bypass}")
    table = [[endpoint.host, endpoint.port, way] for endpoint, way in known.items()]
    script = _SCRIPT % {"open": json.dumps(table), "dead": DEAD_END}
    return (
        f"--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64,{base64.b64encode(script.encode()).decode()}",
    )

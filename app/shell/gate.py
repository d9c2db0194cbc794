"""Which addresses the exam tab may reach: one decision, used by navigation, the request interceptor and new windows.

Pure: no Qt, no clock, no name look-up; any thread may ask. Addresses arrive as Chromium canonicalised them; whatever
could be read in two ways is refused instead of guessed at.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from app.contract.errors import UserFacing
from app.shell.route import Endpoint

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
SOCKET_OF = {"ws": "http", "wss": "https"}
"""A page that may be fetched may also be talked to over a web socket of the same security."""
INLINE_SCHEMES = frozenset({"data", "blob"})
VIEWER = "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai/"
"""The engine's own PDF viewer: pages and scripts that come with it, never from a network."""
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\]")
_HOST = re.compile(r"(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an address may be reached; ``why`` is a word for the journal when it may not."""

    allowed: bool
    why: str = ""


_YES = Verdict(allowed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What the gate compares. ``rest`` is the path with query and without fragment."""

    scheme: str
    host: str
    port: int
    path: str
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """``scheme://host[:port][/path-prefix]``. A path prefix ends at a segment: ``/exam`` is not ``/examples``.

    ``*.example.org`` means every host below ``example.org``, at any depth, but not ``example.org``.
    """

    scheme: str
    host: str
    port: int
    path: str

    def matches(self, address: Address) -> bool:
        """Whether ``address`` is covered."""
        if (SOCKET_OF.get(address.scheme, address.scheme), address.port) != (self.scheme, self.port):
            return False
        if self.host.startswith("*."):
            if not address.host.endswith(self.host[1:]):
                return False
        elif address.host != self.host:
            return False
        return self.path in ("", "/") or _below(address.path, self.path)


class Gate:
    """The decision for one exam. Raises ``UserFacing(E-POLICY-ADDRESS)`` for an address that cannot be read."""

    def __init__(self, *, allow: Sequence[str], entry_url: str, submit_url: str) -> None:
        entry, submit = _required(entry_url), _required(submit_url)
        self._submit = submit
        self._patterns = (
            *(parse_pattern(text) for text in allow),
            Pattern(scheme=entry.scheme, host=entry.host, port=entry.port, path=""),
        )

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every host and port that can be reached, for what the engine may resolve and connect to."""
        submit = Endpoint(scheme=self._submit.scheme, host=self._submit.host, port=self._submit.port)
        found = {submit, *(Endpoint(scheme=one.scheme, host=one.host, port=one.port) for one in self._patterns)}
        return tuple(sorted(found, key=lambda endpoint: (endpoint.host, endpoint.port, endpoint.scheme)))

    def navigation(self, url: str, *, main_frame: bool = True) -> Verdict:
        """Decide about showing ``url`` in the tab or in a frame of its page."""
        if url in ("about:blank", "") or (url == "about:srcdoc" and not main_frame):
            return _YES  # nothing is fetched; a srcdoc frame shows only what its page already had
        return self._reach(url)

    def resource(self, url: str) -> Verdict:
        """Decide about fetching ``url`` for the page: scripts, pictures, fetch, web sockets, workers."""
        if url.partition(":")[0].lower() in INLINE_SCHEMES or url in ("about:blank", "about:srcdoc"):
            return _YES  # made of bytes that the page already has
        return self._reach(url)

    def is_submit(self, url: str) -> bool:
        """Whether ``url`` starts with the policy's submit address: same origin, and path and query start with it."""
        address = parse_address(url)
        return address is not None and self._covers_submit(address)

    def _reach(self, url: str) -> Verdict:
        scheme = url.partition(":")[0].lower()
        if scheme not in DEFAULT_PORTS:
            return Verdict(allowed=False, why="scheme")
        address = parse_address(url)
        if address is None:
            return Verdict(allowed=False, why="unreadable")
        if self._covers_submit(address) or any(pattern.matches(address) for pattern in self._patterns):
            return _YES
        return Verdict(allowed=False, why="not on the list")

    def _covers_submit(self, address: Address) -> bool:
        submit = self._submit
        same = (address.scheme, address.host, address.port) == (submit.scheme, submit.host, submit.port)
        return same and address.rest.startswith(submit.rest)


def is_viewers_own(url: str, page: str) -> bool:
    """Whether ``url`` is the PDF viewer, which the engine opens around a PDF that the gate let in, or a part of it that
    the viewer asks for (``page`` is the page it is for). No page of the exam can ask for these itself.
    """
    return url == f"{VIEWER}index.html" or (page.startswith(VIEWER) and url.startswith((VIEWER, "chrome://resources/")))


def parse_address(url: str) -> Address | None:
    """Return the parts of an ``http(s)`` or ``ws(s)`` address, or ``None`` for one that could be read in two ways."""
    if _AMBIGUOUS.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), _host_of(parts)
    if scheme not in DEFAULT_PORTS or "@" in parts.netloc or not _HOST.fullmatch(host) or host.startswith("*"):
        return None
    path = parts.path or "/"
    if _climbs(path):
        return None
    rest = f"{path}?{parts.query}" if parts.query else path
    return Address(scheme=scheme, host=host.rstrip("."), port=port or DEFAULT_PORTS[scheme], path=path, rest=rest)


def parse_pattern(text: str) -> Pattern:
    """Read one entry of ``policy.browser.allow``."""
    scheme, separator, behind = text.partition("://")
    wild = behind.startswith("*.")
    address = parse_address(f"{scheme}://{behind.removeprefix('*.')}") if separator else None
    if address is None or address.scheme not in ("http", "https") or "?" in text or "#" in text:
        raise UserFacing(
            f"The exam's policy allows an address that can't be read: {text!r}.",
            advice="Tell your institution; the exam can't start safely.",
            code="E-POLICY-ADDRESS",
        )
    path = "" if address.path == "/" else address.path
    host = f"*.{address.host}" if wild else address.host
    return Pattern(scheme=address.scheme, host=host, port=address.port, path=path)


def _required(url: str) -> Address:
    address = parse_address(url)
    if address is None or address.scheme not in ("http", "https"):
        raise UserFacing(
            "The address of the exam can't be read.",
            advice="Tell your institution; the exam can't start safely.",
            code="E-POLICY-ADDRESS",
        )
    return address


def _host_of(parts: SplitResult) -> str:
    netloc = parts.netloc.lower()
    if netloc.startswith("["):
        return netloc.partition("]")[0] + "]"
    return netloc.partition(":")[0]


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else f"{prefix}/")


def _climbs(path: str) -> bool:
    """Whether a server that decodes twice, or reads ``\\`` as ``/``, could see ``..`` in ``path``."""
    decoded = unquote(unquote(path)).replace("\\", "/")
    return any(segment in (".", "..") for segment in decoded.split("/"))

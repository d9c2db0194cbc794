"""The browser profile of one exam: off the record, watched, and closed. Lives in the GUI thread.

It never writes to disk, never asks the user anything and never lets a request out that the gate does not know.
"""

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkCookie
from PySide6.QtWebEngineCore import (
    QWebEngineDownloadRequest,
    QWebEngineProfile,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
)

from app.contract.incidents import IncidentKind
from app.shell.gate import Gate, is_viewers_own

COOKIE_NAME = "fairlock"
USER_AGENT_SUFFIX = "Fairlock/1"

OnIncident = Callable[[IncidentKind, dict[str, str]], None]


class Interceptor(QWebEngineUrlRequestInterceptor):
    """Asks the gate about every request of every kind: documents, scripts, fetch, web sockets, workers."""

    def __init__(self, gate: Gate, on_incident: OnIncident) -> None:
        super().__init__()
        self._gate = gate
        self._on_incident = on_incident

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:  # noqa: N802  (Qt's name)
        """Block what the gate does not allow."""
        url = _text(info.requestUrl())
        is_page = info.resourceType() == QWebEngineUrlRequestInfo.ResourceType.ResourceTypeMainFrame
        verdict = self._gate.navigation(url) if is_page else self._gate.resource(url)
        if not verdict.allowed and not is_viewers_own(url, _text(info.firstPartyUrl())):
            info.block(True)
            kind = info.resourceType().name.removeprefix("ResourceType").lower()
            facts = {"address": shorten(url), "kind": kind, "why": verdict.why}
            self._on_incident(IncidentKind.NAVIGATION_BLOCKED, facts)


class ExamProfile(QWebEngineProfile):
    """Off the record (it has no name), without downloads, cache on disk or stored permissions.

    ``on_cookie`` gets the token that the host of ``entry_url`` set; no other host's cookie of that name counts.
    """

    def __init__(
        self, gate: Gate, on_incident: OnIncident, on_cookie: Callable[[str], None], *, entry_url: str
    ) -> None:
        super().__init__()
        self._host = QUrl(entry_url).host(QUrl.ComponentFormattingOption.FullyEncoded)
        self._on_incident = on_incident
        self._on_cookie = on_cookie
        self._interceptor = Interceptor(gate, on_incident)
        self.setUrlRequestInterceptor(self._interceptor)
        self.setHttpCacheType(QWebEngineProfile.HttpCacheType.MemoryHttpCache)
        self.setPersistentCookiesPolicy(QWebEngineProfile.PersistentCookiesPolicy.NoPersistentCookies)
        # Otherwise the first answer to a permission would be remembered.
        self.setPersistentPermissionsPolicy(QWebEngineProfile.PersistentPermissionsPolicy.AskEveryTime)
        self.setHttpUserAgent(f"{self.httpUserAgent()} {USER_AGENT_SUFFIX}")
        self.setSpellCheckEnabled(False)
        self.downloadRequested.connect(self._refuse_download)
        self.cookieStore().cookieAdded.connect(self._see_cookie)

    def _refuse_download(self, download: QWebEngineDownloadRequest) -> None:
        download.cancel()
        self._on_incident(IncidentKind.DOWNLOAD_BLOCKED, {"address": shorten(download.url().toString())})

    def _see_cookie(self, cookie: QNetworkCookie) -> None:
        # Exactly its host: with a dot in front it would be a cookie that another host of the domain may have set.
        if bytes(cookie.name().data()) == COOKIE_NAME.encode() and cookie.domain() == self._host:
            self._on_cookie(bytes(cookie.value().data()).decode("ascii", "replace"))


def _text(url: QUrl) -> str:
    return bytes(url.toEncoded().data()).decode("ascii", "replace")


def shorten(address: str) -> str:
    """Return an address for the journal: no query, which may hold answers or names, and at most 200 characters."""
    return address.partition("?")[0].partition("#")[0][:200]

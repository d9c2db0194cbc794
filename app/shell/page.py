"""The exam's page: one tab without a way out. Lives in the GUI thread.

Addresses, new windows and files are refused here, everything else that a page may ask for in ``app.shell.asking``; what
it may say (alert, confirm, prompt) is asked inside the exam window by ``Asker``, never in a window of its own.
"""

from typing import Protocol

from PySide6.QtCore import QUrl, Signal
from PySide6.QtWebEngineCore import (
    QWebEngineLoadingInfo,
    QWebEnginePage,
    QWebEngineSettings,
)

from app.contract.incidents import IncidentKind
from app.shell.asking import Asking
from app.shell.clipboard import ClipboardLock
from app.shell.gate import Gate
from app.shell.profile import ExamProfile, OnIncident, shorten

_Setting = QWebEngineSettings.WebAttribute
SETTINGS = {
    _Setting.AllowGeolocationOnInsecureOrigins: False,
    _Setting.AllowRunningInsecureContent: False,
    _Setting.AllowWindowActivationFromJavaScript: False,
    _Setting.AutoLoadIconsForPage: False,
    _Setting.DnsPrefetchEnabled: False,
    _Setting.ErrorPageEnabled: False,  # the shell says what is wrong, in its own words
    _Setting.FullScreenSupportEnabled: False,
    _Setting.HyperlinkAuditingEnabled: False,
    _Setting.JavascriptCanAccessClipboard: False,
    _Setting.JavascriptCanOpenWindows: False,
    _Setting.JavascriptCanPaste: False,
    _Setting.LocalContentCanAccessFileUrls: False,
    _Setting.LocalContentCanAccessRemoteUrls: False,
    _Setting.NavigateOnDropEnabled: False,
    _Setting.PdfViewerEnabled: True,  # exam sheets; what its buttons save, print or open is refused like a page's
    _Setting.PluginsEnabled: True,  # the viewer is the only one there is
    _Setting.ScreenCaptureEnabled: False,
    _Setting.WebRTCPublicInterfacesOnly: True,
    _Setting.FocusOnNavigationEnabled: True,
}


class Asker(Protocol):
    """Asks the candidate something inside the exam window and waits for the answer."""

    def tell(self, text: str) -> None:
        """Show ``text`` until it is acknowledged."""
        ...

    def confirm(self, text: str) -> bool:
        """Return the answer to a yes-or-no question."""
        ...

    def ask(self, text: str, value: str) -> str | None:
        """Return a line of text, or ``None``."""
        ...


class ExamPage(QWebEnginePage):
    """The page. ``submitted`` is emitted when the submit address was reached and the server had answered; ``visited``
    carries each address that was shown, in a frame too, without query and fragment.
    """

    submitted = Signal()
    visited = Signal(str)
    load_failed = Signal()
    loaded = Signal()
    crashed = Signal()

    def __init__(self, profile: ExamProfile, gate: Gate, asker: Asker, on_incident: OnIncident) -> None:
        super().__init__(profile)
        self._gate = gate
        self._asker = asker
        self._on_incident = on_incident
        self._clipboard = ClipboardLock()
        self._submitting = False
        for attribute, value in SETTINGS.items():
            self.settings().setAttribute(attribute, value)
        self.settings().setUnknownUrlSchemePolicy(QWebEngineSettings.UnknownUrlSchemePolicy.DisallowUnknownUrlSchemes)
        # WORKAROUND (seen with Qt 6.11.3): in the profile, for a page loses its own scripts for good when it is refused
        # an address such as mailto: or qrc:.
        profile.scripts().insert(self._clipboard.script())
        Asking(self, on_incident)
        self.renderProcessTerminated.connect(self._note_crash)
        self.loadingChanged.connect(self._follow_loading)
        self.urlChanged.connect(self._follow_address)

    # --- addresses ---------------------------------------------------------------------------------------------

    def acceptNavigationRequest(  # noqa: N802  (Qt's name)
        self, url: QUrl | str, kind: QWebEnginePage.NavigationType, is_main_frame: bool
    ) -> bool:
        """Ask the gate; note when the candidate is on the way to the submit address."""
        text = _encoded(url)
        verdict = self._gate.navigation(text, main_frame=is_main_frame)
        if not verdict.allowed:
            self._on_incident(IncidentKind.NAVIGATION_BLOCKED, {"address": shorten(text), "why": verdict.why})
        elif is_main_frame:
            redirected = kind == QWebEnginePage.NavigationType.NavigationTypeRedirect
            self._submitting = self._gate.is_submit(text) or (redirected and self._submitting)
        elif not text.startswith("about:"):
            self.visited.emit(shorten(text))  # a frame; the page around it is told when it is there
        return verdict.allowed

    def createWindow(self, _type: QWebEnginePage.WebWindowType) -> QWebEnginePage | None:  # type: ignore[override]  # noqa: N802  (PySide's stub does not know that None refuses)
        """Refuse every new window and tab."""
        self._on_incident(IncidentKind.NAVIGATION_BLOCKED, {"kind": "window", "why": "new window"})
        return None

    def chooseFiles(self, *_arguments: object) -> list[str]:  # noqa: N802  (Qt's name)
        """Offer no files of the candidate's machine."""
        self._on_incident(IncidentKind.PERMISSION_DENIED, {"permission": "files"})
        return []

    def _follow_loading(self, info: QWebEngineLoadingInfo) -> None:
        status = info.status()
        if status == QWebEngineLoadingInfo.LoadStatus.LoadSucceededStatus:
            self.visited.emit(shorten(_encoded(info.url())))
            self.loaded.emit()
            if self._submitting:
                self.submitted.emit()
        elif status == QWebEngineLoadingInfo.LoadStatus.LoadFailedStatus:
            self._submitting = False
            domain = info.errorDomain()
            if domain == QWebEngineLoadingInfo.ErrorDomain.HttpStatusCodeDomain:
                self.visited.emit(shorten(_encoded(info.url())))  # the server's own error page is shown
            elif domain != QWebEngineLoadingInfo.ErrorDomain.NoErrorDomain:
                self.load_failed.emit()  # what never arrived needs our words

    def _follow_address(self, url: QUrl) -> None:
        """A page may reach an address without loading anything (``history.pushState``), also the submit address."""
        if self.isLoading():
            return
        self.visited.emit(shorten(_encoded(url)))
        if self._gate.is_submit(_encoded(url)):
            self.submitted.emit()

    def _note_crash(self, status: QWebEnginePage.RenderProcessTerminationStatus, code: int) -> None:
        self._on_incident(IncidentKind.PAGE_CRASHED, {"status": status.name, "code": str(code)})
        self.crashed.emit()

    # --- what the page says ------------------------------------------------------------------------------------

    def javaScriptConsoleMessage(  # noqa: N802  (Qt's name)
        self, _level: QWebEnginePage.JavaScriptConsoleMessageLevel, message: str, _line: int, _source: str
    ) -> None:
        """Take the clipboard script's reports; everything else a page writes is dropped."""
        blocked = self._clipboard.read_report(message)
        if blocked is not None:
            self._on_incident(IncidentKind.CLIPBOARD, {"blocked": blocked})

    def javaScriptAlert(self, _origin: QUrl | str, text: str) -> None:  # noqa: N802  (Qt's name)
        """Show the page's words inside the exam window."""
        self._asker.tell(text)

    def javaScriptConfirm(self, _origin: QUrl | str, text: str) -> bool:  # noqa: N802  (Qt's name)
        """Ask the page's question inside the exam window."""
        return self._asker.confirm(text)

    def javaScriptPrompt(self, _origin: QUrl | str, text: str, value: str) -> tuple[bool, str]:  # noqa: N802
        """Ask for a line of text inside the exam window."""
        answer = self._asker.ask(text, value)
        return answer is not None, answer or ""


def _encoded(url: QUrl | str) -> str:
    return bytes(QUrl(url).toEncoded().data()).decode("ascii", "replace")

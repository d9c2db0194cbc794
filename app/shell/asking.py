"""What a page asks of the candidate's machine, and what would open a window of its own: all refused, and reported.

GUI thread. The engine asks by signals; most ask for an answer, some (printing, a dialog) happen unless somebody stops
them. What is not in this file the engine does not have, because ``app.shell.engine`` switched it off.
"""

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtWebEngineCore import (
    QWebEngineCertificateError,
    QWebEngineDesktopMediaRequest,
    QWebEngineFileSystemAccessRequest,
    QWebEngineFullScreenRequest,
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineRegisterProtocolHandlerRequest,
    QWebEngineWebAuthUxRequest,
)
from PySide6.QtWidgets import QApplication, QDialog

from app.contract.incidents import IncidentKind
from app.shell.profile import OnIncident, shorten


class Asking(QObject):
    """Answers one page's requests; belongs to the page and goes with it."""

    def __init__(self, page: QWebEnginePage, on_incident: OnIncident) -> None:
        super().__init__(page)
        self._on_incident = on_incident
        page.permissionRequested.connect(self._deny)
        page.certificateError.connect(self._refuse_certificate)
        page.fullScreenRequested.connect(self._refuse_full_screen)
        page.desktopMediaRequested.connect(self._refuse_screen)
        page.fileSystemAccessRequested.connect(self._refuse_file_system)
        page.registerProtocolHandlerRequested.connect(self._refuse_handler)
        page.webAuthUxRequested.connect(self._refuse_key)
        page.printRequested.connect(self._note_print)
        page.printRequestedByFrame.connect(self._note_print)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)  # noqa: S101  (a page exists, so it does)
        application.focusWindowChanged.connect(self._look_for_dialogs)

    def _deny(self, permission: QWebEnginePermission) -> None:
        permission.deny()
        self._note(permission.permissionType().name)

    def _refuse_certificate(self, error: QWebEngineCertificateError) -> None:
        error.rejectCertificate()
        address = bytes(error.url().toEncoded().data()).decode("ascii", "replace")
        facts = {"address": shorten(address), "why": error.description()[:200]}
        self._on_incident(IncidentKind.CERTIFICATE_REFUSED, facts)

    def _refuse_full_screen(self, request: QWebEngineFullScreenRequest) -> None:
        request.reject()
        self._note("full screen")

    def _refuse_screen(self, request: QWebEngineDesktopMediaRequest) -> None:
        request.cancel()
        self._note("screen")

    def _refuse_file_system(self, request: QWebEngineFileSystemAccessRequest) -> None:
        request.reject()
        self._note("files")

    def _refuse_handler(self, request: QWebEngineRegisterProtocolHandlerRequest) -> None:
        request.reject()
        self._note("protocol handler")

    def _refuse_key(self, request: QWebEngineWebAuthUxRequest) -> None:
        request.cancel()
        self._note("security key")

    def _note_print(self, *_frame: object) -> None:
        """Nothing is printed unless somebody answers this with a printer; nobody does."""
        self._note("print")

    def _look_for_dialogs(self, _window: QWindow | None) -> None:
        """Close a dialog that the engine opened by itself, such as that of ``<input type=color>``.

        Fairlock has none of its own, its questions are part of the exam window. Later, not now: the dialog is just
        being shown.
        """
        QTimer.singleShot(0, self, self._close_dialogs)

    def _close_dialogs(self) -> None:
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible():
                widget.reject()
                self._note("dialog")

    def _note(self, permission: str) -> None:
        self._on_incident(IncidentKind.PERMISSION_DENIED, {"permission": permission})

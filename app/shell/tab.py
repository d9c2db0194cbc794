"""The one tab: profile, page and view as one thing that is made, watched and taken down in the right order.

Lives in the GUI thread. Created when the exam is shown and destroyed before lockdown is released, so that no exam page
ever exists outside of a locked session.
"""

import contextlib

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget

from app.clock import SystemClock
from app.contract.incidents import IncidentKind
from app.contract.times import Clock
from app.shell import text
from app.shell.announcing import announce, wake_engine
from app.shell.clipboard import OutgoingLock
from app.shell.gate import Gate
from app.shell.merging import Merging
from app.shell.page import Asker, ExamPage
from app.shell.profile import ExamProfile
from app.shell.tab_keys import TabKeys

RELOAD_MS = 3_000
FLUSH_MS = 1_000
ZOOM_STEPS = (0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)


class ExamView(QWebEngineView):
    """A view without a context menu that takes no drops from other programs."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAcceptDrops(False)
        self.setAccessibleName("Exam")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802  (Qt's name)
        """Show none."""
        event.accept()


class ExamTab(QObject):
    """What the controller knows of the browser.

    ``trouble`` says whether the page could not be loaded, ``audible`` whether it plays sound.
    """

    incident = Signal(object, object)
    cookie_seen = Signal(str)
    audible = Signal(bool)
    visited = Signal(str)
    submitted = Signal()
    loaded = Signal()
    trouble = Signal(bool)

    def __init__(
        self, parent: QWidget, *, gate: Gate, asker: Asker, entry_url: str, clock: Clock | None = None
    ) -> None:
        super().__init__(parent)
        self._entry_url = entry_url
        self._was_loaded = False
        self._is_audible = False
        self._refused = Merging(self.incident.emit, clock or SystemClock())
        self._profile = ExamProfile(gate, self._refused.add, self.cookie_seen.emit, entry_url=entry_url)
        self._page = ExamPage(self._profile, gate, asker, self._refused.add)
        OutgoingLock(self).copied.connect(self._note_copy)
        self._flush = QTimer(self)
        self._flush.setInterval(FLUSH_MS)
        self._flush.timeout.connect(self._refused.flush)
        self._flush.start()
        self.view = ExamView(parent)
        self.view.setPage(self._page)
        wake_engine()
        self._normal = 1.0
        self.keys = TabKeys(self)
        self.keys.zoom.connect(self.zoom)
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(RELOAD_MS)
        self._retry.timeout.connect(self.reload)
        self._page.visited.connect(self.visited)
        self._page.recentlyAudibleChanged.connect(self._note_audible)
        self._page.submitted.connect(self.submitted)
        self._page.loaded.connect(self._note_loaded)
        self._page.load_failed.connect(self._note_failed)
        self._page.crashed.connect(self._retry.start)

    @property
    def page(self) -> ExamPage:
        """The page, for tests that look inside."""
        return self._page

    def open(self) -> None:
        """Load the exam."""
        self._page.load(QUrl(self._entry_url))

    def renew_entry(self, entry_url: str) -> None:
        """Enter by ``entry_url``, for the address given before is void; no change once the exam is there."""
        self._entry_url = entry_url
        if not self._was_loaded:
            self._retry.stop()
            self.open()

    def reload(self) -> None:
        """Load again what was shown; the entry address only if nothing ever was, for it works once."""
        self._retry.stop()
        current = self._page.url()
        if current.isEmpty() or current.scheme() == "about":
            self.open()
        else:
            self._page.load(current)

    def begin_at(self, text_scale: float) -> None:
        """Show the page at the zoom that fits how large the candidate wants text."""
        self._normal = min(ZOOM_STEPS, key=lambda step: abs(step - text_scale))
        self.view.setZoomFactor(self._normal)

    def zoom(self, steps: int) -> None:
        """Make the page larger or smaller by so many steps; 0 is back to where it began."""
        factor = min(ZOOM_STEPS, key=lambda step: abs(step - self.view.zoomFactor()))
        index = ZOOM_STEPS.index(self._normal) if steps == 0 else ZOOM_STEPS.index(factor) + steps
        self.view.setZoomFactor(ZOOM_STEPS[max(0, min(index, len(ZOOM_STEPS) - 1))])
        announce(self.view, text.TEXT_SIZE.format(percent=round(self.view.zoomFactor() * 100)))

    def flush_reports(self) -> None:
        """Report now how often something was refused."""
        self._refused.flush(everything=True)

    def dispose(self) -> None:
        """Take it down: page, view, profile. Any other order makes Chromium hold on to a dead profile."""
        self._retry.stop()
        self._flush.stop()
        self.flush_reports()
        # Safe to call twice: what Qt deleted with its parent is gone already.
        self.blockSignals(True)
        for part in (self._page, self.view, self._profile):
            with contextlib.suppress(RuntimeError):
                shiboken6.delete(part)

    def watch_keys(self, keys: QObject) -> None:
        """Let ``keys`` see what is typed; on the view's own input widget, never on the application (Qt crashes)."""
        proxy = self.view.focusProxy()
        if proxy is not None:
            proxy.installEventFilter(self.keys)
            proxy.installEventFilter(keys)

    def _note_copy(self) -> None:
        self._refused.add(IncidentKind.CLIPBOARD, {"blocked": "copy"})

    def _note_loaded(self) -> None:
        self._was_loaded = True
        self._retry.stop()
        self.trouble.emit(False)
        self.loaded.emit()

    def _note_audible(self, audible: bool) -> None:
        """Say it once: Qt's signal comes twice at each change."""
        if audible != self._is_audible:
            self._is_audible = audible
            self.audible.emit(audible)

    def _note_failed(self) -> None:
        self.trouble.emit(True)
        self._retry.start()

"""The private clipboard: copy and paste work inside the exam page, and nothing comes in or goes out.

A script in a world of its own (the page can neither see nor change it). It reports through the page's console with a
random word that only the script and the shell know. The guard's ``ClipboardGuard`` empties the system's clipboard;
this stops what arrives there afterwards, and the X11 selection that a middle click pastes. Dragging works for what the
page made draggable, such as an answer to be put in its place; selected text, pictures and links can't be dragged out.
"""

import secrets

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtWebEngineCore import QWebEngineScript

_SCRIPT = """
(() => {
  "use strict";
  let kept = "", dragging = false;
  const say = what => console.info("%WORD%:" + what);
  const stop = event => { event.preventDefault(); event.stopImmediatePropagation(); };
  const selected = () => {
    const field = document.activeElement;
    if (field && typeof field.selectionStart === "number" && field.type !== "password")
      return field.value.slice(field.selectionStart, field.selectionEnd);
    return String(getSelection());
  };
  addEventListener("copy", event => { kept = selected() || kept; stop(event); }, true);
  addEventListener("cut", event => {
    kept = selected() || kept; stop(event); document.execCommand("delete");
  }, true);
  addEventListener("paste", event => {
    const outside = event.clipboardData && event.clipboardData.types.length > 0;  // whether, never what
    stop(event);
    if (kept) document.execCommand("insertText", false, kept);
    else if (outside) say("paste");
  }, true);
  addEventListener("dragstart", event => {
    const from = event.target, element = from.nodeType === Node.ELEMENT_NODE ? from : from.parentElement;
    dragging = Boolean(element && element.closest("[draggable=true]"));
    if (!dragging) stop(event);
  }, true);
  addEventListener("dragend", () => { dragging = false; }, true);
  for (const kind of ["dragover", "drop"])
    addEventListener(kind, event => {
      if (dragging) return;
      stop(event);
      if (kind === "drop") say("drop");
    }, true);
  addEventListener("mousedown", event => { if (event.button === 1) event.preventDefault(); }, true);
})();
"""


class ClipboardLock:
    """One page's script and the word by which its reports are known."""

    def __init__(self) -> None:
        self._word = secrets.token_hex(16)

    def script(self) -> QWebEngineScript:
        """Return the script to insert into a page before it loads anything."""
        script = QWebEngineScript()
        script.setName("private clipboard")
        script.setWorldId(QWebEngineScript.ScriptWorldId.ApplicationWorld)
        script.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
        script.setRunsOnSubFrames(True)
        script.setSourceCode(_SCRIPT.replace("%WORD%", self._word))
        return script

    def read_report(self, console_line: str) -> str | None:
        """Return what was blocked ("paste", "drop") if the script wrote this line, else ``None``."""
        word, separator, what = console_line.partition(":")
        return what if separator and secrets.compare_digest(word.encode(), self._word.encode()) else None


class OutgoingLock(QObject):
    """Empties the system's clipboard as soon as the engine has put something there, which is then ``copied``.

    The PDF viewer copies without asking any script. What other programs put there is the guard's business; nothing is
    read, only asked whether there is anything of ours.
    """

    copied = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        QGuiApplication.clipboard().dataChanged.connect(self._empty)

    def _empty(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard.ownsClipboard() and clipboard.mimeData().formats():
            clipboard.clear()
            self.copied.emit()


def empty_system_clipboard() -> None:
    """Leave nothing to paste, and nothing taken along, in either of the system's clipboards."""
    clipboard = QGuiApplication.clipboard()
    clipboard.clear(QClipboard.Mode.Clipboard)
    if clipboard.supportsSelection():
        clipboard.clear(QClipboard.Mode.Selection)

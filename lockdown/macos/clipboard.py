"""Keeps the general pasteboard empty. Whatever is in it is never asked for; so it can't be given back either."""

import ctypes
from collections.abc import Sequence

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding, Undo, unsupported
from lockdown.macos.core import text
from lockdown.macos.functions import Api

REPORT_EVERY_S = 5.0
_GENERAL = "com.apple.pasteboard.clipboard"
_DONE = 0  # noErr
_MINUS_ONE = ctypes.c_size_t(-1).value


class EmptyPasteboard:
    """Clears the pasteboard at the start and whenever something is in it; implements ``ClipboardGuard``.

    macOS does not say who put it there, so what Fairlock's own window copies is counted as well. **Does not stop** the
    pasteboards of single programs (for finding, for dragging), nor one shared with a telephone before it is cleared.
    """

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._pasteboard: int | None = None
        self._changes = 0
        self._last_report: Instant | None = None

    def plan(self) -> Sequence[Undo]:
        """Return nothing: an empty pasteboard is nothing to undo, and what was in it was never read."""
        return ()

    def engage(self) -> None:
        """Clear it. Raises ``Unsupported`` if macOS does not let it be cleared."""
        if self._pasteboard is None:
            self._pasteboard = self._open()
        if not self._clear():
            raise _refused()

    def holds(self) -> bool:
        """Whether it is empty now."""
        return self._pasteboard is not None and self._count() == 0

    def release(self) -> None:
        """Let others use it again."""
        pasteboard, self._pasteboard = self._pasteboard, None
        if pasteboard is not None:
            self._api.CFRelease(pasteboard)

    def observe(self) -> Sequence[Finding]:
        """Clear what was put there, and report now and then how often that was."""
        if self._pasteboard is None:
            return ()
        if self._count() and self._clear():
            self._changes += 1
        now = self._clock.now()
        waiting = self._last_report is not None and now.seconds_since(self._last_report) < REPORT_EVERY_S
        if not self._changes or waiting:
            return ()
        facts = {"selection": "clipboard", "changes": str(self._changes)}
        self._changes, self._last_report = 0, now
        return (Finding(kind=IncidentKind.CLIPBOARD, facts=facts),)

    def _open(self) -> int:
        pasteboard = ctypes.c_void_p()
        with text(self._api, _GENERAL) as name:
            done = self._api.PasteboardCreate(name, ctypes.byref(pasteboard))
        if done != _DONE or not pasteboard.value:
            raise _refused()
        return pasteboard.value

    def _count(self) -> int:
        """Return the number of things in it; asked for anew, for other programs change it."""
        self._api.PasteboardSynchronize(self._pasteboard)
        count = ctypes.c_size_t()
        if self._api.PasteboardGetItemCount(self._pasteboard, ctypes.byref(count)) != _DONE:
            raise _refused()
        # Unsigned as declared, it is -1 at times, as Qt's source knows (qmacpasteboard.mm).
        return count.value if count.value < _MINUS_ONE else 0

    def _clear(self) -> bool:
        self._api.PasteboardSynchronize(self._pasteboard)
        return bool(self._api.PasteboardClear(self._pasteboard) == _DONE)


def _refused() -> Exception:
    return unsupported("macOS does not let Fairlock clear the clipboard.", "Start Fairlock from the desktop.")

"""The event tap that sees each key before any program does, and the thread in which macOS calls it.

macOS switches off a tap that is slow, and says so by an event; then it is switched on again. No key is remembered: what
is let through leaves no trace, of the rest only the name is counted. It needs the right "Accessibility".
"""

import threading
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from lockdown.capabilities import unsupported
from lockdown.macos.combinations import blocked
from lockdown.macos.core import released, text
from lockdown.macos.functions import CALLBACK, Api

START_S = 5.0
TURN_S = 0.5
_SESSION, _AT_THE_HEAD, _MAY_SWALLOW = 1, 0, 0  # kCGSessionEventTap, kCGHeadInsertEventTap, kCGEventTapOptionDefault
_KEY_DOWN, _KEY_UP = 10, 11
_SWITCHED_OFF = (0xFFFFFFFE, 0xFFFFFFFF)  # kCGEventTapDisabledByTimeout, …ByUserInput
_KEY_CODE, _SOURCE_PID = 9, 41  # kCGKeyboardEventKeycode, kCGEventSourceUnixProcessID
_MODE = "kCFRunLoopDefaultMode"


class EventTap:
    """Swallows combinations and counts them, and counts keys that a program made.

    ``take_blocked`` and ``take_injected`` may be called from any thread.
    """

    def __init__(self, api: Api, allowed: AbstractSet[str] = frozenset()) -> None:
        self._api = api
        self._allowed = allowed
        self._callback = CALLBACK(self._decide)
        self._lock = threading.Lock()
        self._blocked: dict[str, int] = {}
        self._injected = 0
        self._thread: threading.Thread | None = None
        self._port: int | None = None
        self._settled = threading.Event()
        self._stopping = threading.Event()

    @property
    def is_on(self) -> bool:
        """Whether its thread runs and macOS has the tap switched on."""
        runs = self._thread is not None and self._thread.is_alive()
        return runs and self._port is not None and bool(self._api.CGEventTapIsEnabled(self._port))

    def start(self) -> None:
        """Set the tap. Raises ``Unsupported`` if macOS does not give it."""
        if not self.is_on:
            self.stop()
            self._settled.clear()
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="event-tap", daemon=True)
            self._thread.start()
            self._settled.wait(START_S)
        if not self.is_on:
            self.stop()
            raise unsupported(
                "macOS does not let Fairlock hold the keyboard.",
                "Open System Settings, Privacy & Security, Accessibility, allow Fairlock, and start it again.",
            )

    def stop(self) -> None:
        """Take the tap away and end the thread."""
        thread, self._thread = self._thread, None
        self._stopping.set()
        if thread is not None:
            thread.join(START_S)

    def take_blocked(self) -> Mapping[str, int]:
        """Return how often each combination was swallowed since the last call."""
        with self._lock:
            taken, self._blocked = self._blocked, {}
        return taken

    def take_injected(self) -> int:
        """Return how many keys a program made since the last call."""
        with self._lock:
            taken, self._injected = self._injected, 0
        return taken

    def _run(self) -> None:
        """The thread: a tap is called in the thread whose run loop it was added to."""
        events = 1 << _KEY_DOWN | 1 << _KEY_UP
        tap = self._api.CGEventTapCreate(_SESSION, _AT_THE_HEAD, _MAY_SWALLOW, events, self._callback, None)
        with released(self._api, tap):
            if tap:
                self._serve(tap)
        self._settled.set()

    def _serve(self, tap: int) -> None:
        source = self._api.CFMachPortCreateRunLoopSource(None, tap, 0)
        with released(self._api, source), text(self._api, _MODE) as mode:
            self._api.CFRunLoopAddSource(self._api.CFRunLoopGetCurrent(), source, mode)
            self._api.CGEventTapEnable(tap, True)
            self._port = tap
            self._settled.set()
            while not self._stopping.is_set():
                self._api.CFRunLoopRunInMode(mode, TURN_S, 0)
            self._port = None
            self._api.CFMachPortInvalidate(tap)

    def _decide(self, _proxy: int | None, kind: int, event: int | None, _own: int | None) -> int | None:
        """Be told of one key; must be quick. Returns the event, or ``None`` to swallow it."""
        if kind in _SWITCHED_OFF:
            if self._port is not None:
                self._api.CGEventTapEnable(self._port, True)
            return event
        if kind in (_KEY_DOWN, _KEY_UP) and event and self._swallows(kind, event):
            return None
        return event

    def _swallows(self, kind: int, event: int) -> bool:
        key = self._api.CGEventGetIntegerValueField(event, _KEY_CODE)
        name = blocked(key, self._api.CGEventGetFlags(event), self._allowed)
        # Keys of a keyboard come from no process.
        is_made = bool(self._api.CGEventGetIntegerValueField(event, _SOURCE_PID))
        with self._lock:
            if kind == _KEY_DOWN and is_made:
                self._injected += 1
            if kind == _KEY_DOWN and name is not None:
                self._blocked[name] = self._blocked.get(name, 0) + 1
        return name is not None

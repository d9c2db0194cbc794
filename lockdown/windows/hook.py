"""The low-level keyboard hook, and the thread whose messages keep it alive.

Windows calls the hook for each key before any program sees it, and takes a hook away, without a word, that does not
answer in time. So it lives in the guard and not in the shell, it counts and does nothing else, and it is set anew
every few seconds. No key is remembered: what is let through leaves no trace, of the rest only the name is counted.
"""

import ctypes
import threading
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from lockdown.capabilities import unsupported
from lockdown.windows import constants as c
from lockdown.windows.binary import HOOKPROC, KBDLLHOOKSTRUCT, MSG
from lockdown.windows.combinations import blocked
from lockdown.windows.functions import Api

REARM_MS = 3_000
START_S = 5.0
_HELD = -0x8000  # GetAsyncKeyState: the highest bit of a SHORT
_SWALLOW = 1


class KeyboardHook:
    """Swallows combinations and counts them, and counts keys that a program made.

    ``take_blocked`` and ``take_injected`` may be called from any thread.
    """

    def __init__(self, api: Api, allowed: AbstractSet[str] = frozenset()) -> None:
        self._api = api
        self._allowed = allowed
        self._callback = HOOKPROC(self._decide)
        self._lock = threading.Lock()
        self._blocked: dict[str, int] = {}
        self._injected = 0
        self._thread: threading.Thread | None = None
        self._thread_id = 0
        self._hook: int | None = None
        self._settled = threading.Event()

    @property
    def is_set(self) -> bool:
        """Whether its thread runs and Windows took the hook last time; whether it kept it, Windows tells nobody."""
        return self._thread is not None and self._thread.is_alive() and bool(self._hook)

    def start(self) -> None:
        """Set the hook. Raises ``Unsupported`` if Windows does not take it."""
        if not self.is_set:
            self.stop()
            self._settled.clear()
            self._thread = threading.Thread(target=self._run, name="keyboard-hook", daemon=True)
            self._thread.start()
            self._settled.wait(START_S)
        if not self.is_set:
            self.stop()
            raise unsupported("Windows does not let Fairlock hold the keyboard.", "Close other programs and try again.")

    def stop(self) -> None:
        """Take the hook away and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._api.PostThreadMessageW(self._thread_id, c.WM_QUIT, 0, 0)
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
        """The thread: a hook is called in the thread that set it, while that waits for messages."""
        self._thread_id = self._api.GetCurrentThreadId()
        self._set()
        self._api.SetTimer(None, 0, REARM_MS, None)
        message = MSG()
        self._settled.set()
        while self._api.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            if message.message == c.WM_TIMER:
                self._set()
        self._unset()

    def _set(self) -> None:
        """Set it, the new one before the old one goes: no key slips through in between."""
        old = self._hook
        module = self._api.GetModuleHandleW(None)
        self._hook = self._api.SetWindowsHookExW(c.WH_KEYBOARD_LL, self._callback, module, 0)
        if old:
            self._api.UnhookWindowsHookEx(old)

    def _unset(self) -> None:
        hook, self._hook = self._hook, None
        if hook:
            self._api.UnhookWindowsHookEx(hook)

    def _decide(self, code: int, what: int, where: int) -> int:
        """Be told of one key; must be quick, and must not fail, or the key is lost."""
        if code == c.HC_ACTION and where and self._swallows(KBDLLHOOKSTRUCT.from_address(where)):
            return _SWALLOW
        return int(self._api.CallNextHookEx(None, code, what, where))

    def _swallows(self, key: KBDLLHOOKSTRUCT) -> bool:
        is_press = not key.flags & c.LLKHF_UP
        name = blocked(
            key.vkCode,
            alt=bool(key.flags & c.LLKHF_ALTDOWN),
            control=self._is_held(c.VK_CONTROL),
            shift=self._is_held(c.VK_SHIFT),
            allowed=self._allowed,
        )
        with self._lock:
            if is_press and key.flags & c.LLKHF_INJECTED:
                self._injected += 1
            if is_press and name is not None:
                self._blocked[name] = self._blocked.get(name, 0) + 1
        return name is not None

    def _is_held(self, key: int) -> bool:
        return bool(self._api.GetAsyncKeyState(key) & _HELD)

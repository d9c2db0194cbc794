"""Keeps computer and display awake by a power assertion, which macOS takes back when the process ends."""

import ctypes
from collections.abc import Sequence

from lockdown.capabilities import Undo, unsupported
from lockdown.macos.core import released, text
from lockdown.macos.functions import Api

_KIND = "PreventUserIdleDisplaySleep"  # kIOPMAssertionTypePreventUserIdleDisplaySleep; holds off the computer's as well
_REASON = "An exam is being recorded"
_ON = 255  # kIOPMAssertionLevelOn
_DONE = 0  # kIOReturnSuccess


class PowerAssertion:
    """Holds the assertion; implements ``SleepGuard``."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._number: int | None = None

    def plan(self) -> Sequence[Undo]:
        """Return nothing: the assertion ends with its process."""
        return ()

    def engage(self) -> None:
        """Make the assertion. Raises ``Unsupported`` if macOS refuses it."""
        if self.holds():
            return
        self.release()
        number = ctypes.c_uint32()
        with text(self._api, _KIND) as kind, text(self._api, _REASON) as reason:
            done = self._api.IOPMAssertionCreateWithName(kind, _ON, reason, ctypes.byref(number))
        if done != _DONE:
            raise unsupported("macOS does not keep the screen on.", "Set the screen to stay on in System Settings.")
        self._number = number.value

    def holds(self) -> bool:
        """Whether macOS still has the assertion."""
        if self._number is None:
            return False
        with released(self._api, self._api.IOPMAssertionCopyProperties(self._number)) as properties:
            return bool(properties)

    def release(self) -> None:
        """Take it back."""
        number, self._number = self._number, None
        if number is not None:
            self._api.IOPMAssertionRelease(number)

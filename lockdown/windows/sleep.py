"""Keeps computer and display awake by a power request, which Windows takes back when the process ends."""

import ctypes
from collections.abc import Sequence

from lockdown.capabilities import Undo, unsupported
from lockdown.windows import constants as c
from lockdown.windows.binary import DWORD, REASON_CONTEXT
from lockdown.windows.functions import Api

_REASON = "An exam is being recorded"
_REQUESTS = (c.ENUMERATED["PowerRequestDisplayRequired"], c.ENUMERATED["PowerRequestSystemRequired"])
_EXECUTION_STATE = c.ENUMERATED["SystemExecutionState"]
_AWAKE = c.ES_SYSTEM_REQUIRED | c.ES_DISPLAY_REQUIRED
_INVALID = ctypes.c_void_p(-1).value


class PowerRequest:
    """Holds the request; implements ``SleepGuard``. Not bound to a thread, as ``SetThreadExecutionState`` is."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._request: int | None = None

    def plan(self) -> Sequence[Undo]:
        """Return nothing: the request ends with its process."""
        return ()

    def engage(self) -> None:
        """Make the request. Raises ``Unsupported`` if Windows refuses it."""
        if self._request is None:
            reason = REASON_CONTEXT(
                Version=c.POWER_REQUEST_CONTEXT_VERSION, Flags=c.POWER_REQUEST_CONTEXT_SIMPLE_STRING, Reason=_REASON
            )
            request = self._api.PowerCreateRequest(ctypes.byref(reason))
            if request in (None, 0, _INVALID):
                raise _refused()
            self._request = request
        for what in _REQUESTS:
            if not self._api.PowerSetRequest(self._request, what):
                raise _refused()

    def holds(self) -> bool:
        """Whether we ask for it and Windows stays awake now, for whomever."""
        state = DWORD()
        answer = self._api.CallNtPowerInformation(_EXECUTION_STATE, None, 0, ctypes.byref(state), ctypes.sizeof(state))
        return self._request is not None and answer == 0 and state.value & _AWAKE == _AWAKE

    def release(self) -> None:
        """Take the request back."""
        request, self._request = self._request, None
        if request is not None:
            self._api.CloseHandle(request)


def _refused() -> Exception:
    return unsupported("Windows does not keep the screen on.", "Set the screen to stay on in the power settings.")

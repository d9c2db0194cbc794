"""Looks at all top-level windows: where they are, whose, and what sets them apart. Never their titles or contents."""

import ctypes
from collections.abc import Callable, Iterator, Sequence

from app.contract.times import Clock
from lockdown import foreign_windows
from lockdown.capabilities import Finding, unsupported
from lockdown.foreign_windows import ForeignWindows, Window
from lockdown.processes import ProcessTable, Program
from lockdown.windows import constants as c
from lockdown.windows.binary import DWORD, RECT, WNDENUMPROC
from lockdown.windows.functions import Api

_SIGNS = (
    (c.WS_EX_TOPMOST, foreign_windows.TOPMOST),
    (c.WS_EX_LAYERED, foreign_windows.TRANSLUCENT),
    (c.WS_EX_TOOLWINDOW, foreign_windows.NOT_IN_THE_TASKBAR),
)
_CLICK_THROUGH = c.WS_EX_LAYERED | c.WS_EX_TRANSPARENT


class TopLevelWindows:
    """Reports windows over the exam, windows kept out of recordings, and the focus; implements ``WindowWatch``.

    ``WDA_EXCLUDEFROMCAPTURE`` can be read of any program's window, which is what gives such overlays away.
    **Does not stop** an overlay that a driver draws, nor one inside a program that is permitted.
    """

    def __init__(
        self,
        api: Api,
        table: ProcessTable,
        clock: Clock,
        is_own: Callable[[int], bool],
        is_helper: Callable[[Program], bool] = lambda _program: False,
    ) -> None:
        self._api = api
        self._foreign = ForeignWindows(table, clock, is_own, is_helper)

    def observe(self) -> Sequence[Finding]:
        """Return what is new since the last call. Raises ``Unsupported`` if Windows does not list the windows."""
        return self._foreign.look(list(shown(self._api)), _focused(self._api))


class Owners:
    """Knows which programs have a window on the screen; implements ``lockdown.unknown.WindowOwners``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def pids(self) -> frozenset[int]:
        """Return their process ids. Raises ``Unsupported``."""
        return frozenset(window.pid for window in shown(self._api))

    def close(self) -> None:
        """Nothing is kept open."""


def shown(api: Api) -> Iterator[Window]:
    """Yield every window that is shown, front to back. Raises ``Unsupported``."""
    for number in top_level(api):
        window = _look(api, number)
        if window is not None:
            yield window


def top_level(api: Api) -> Sequence[int]:
    """Return the numbers of all top-level windows, front to back, shown or not. Raises ``Unsupported``."""
    numbers: list[int] = []

    def take(number: int | None, _: int) -> int:
        numbers.append(number or 0)
        return 1

    if not api.EnumWindows(WNDENUMPROC(take), 0):
        raise unsupported("Windows does not list the windows any more.", "Start Fairlock again.")
    return numbers


def pid_of(api: Api, number: int) -> int:
    """Return the process id of a window's program; 0 if the window is gone."""
    pid = DWORD()
    api.GetWindowThreadProcessId(number, ctypes.byref(pid))
    return pid.value


def ask_to_close(api: Api, program: Program) -> bool:
    """Ask all shown windows of ``program`` to close, as its own close button would; whether it has any."""
    windows = [window for window in shown(api) if window.pid == program.pid]
    for window in windows:
        api.PostMessageW(window.number, c.WM_CLOSE, 0, 0)
    return bool(windows)


def _look(api: Api, number: int) -> Window | None:
    if not api.IsWindowVisible(number) or api.IsIconic(number) or _is_cloaked(api, number):
        return None
    place = RECT()
    if not api.GetWindowRect(number, ctypes.byref(place)):
        return None  # gone meanwhile
    return Window(
        number=number,
        pid=pid_of(api, number),
        left=place.left,
        top=place.top,
        width=place.right - place.left,
        height=place.bottom - place.top,
        signs=tuple(_signs(api, number)),
    )


def _signs(api: Api, number: int) -> Iterator[str]:
    affinity = DWORD()
    # It fails for a window that is gone; then there is nothing to say about it.
    if api.GetWindowDisplayAffinity(number, ctypes.byref(affinity)) and affinity.value != c.WDA_NONE:
        yield foreign_windows.HIDDEN
    style = api.GetWindowLongPtrW(number, c.GWL_EXSTYLE)
    if style & _CLICK_THROUGH == _CLICK_THROUGH:
        yield foreign_windows.CLICK_THROUGH
    yield from (sign for bit, sign in _SIGNS if style & bit)


def _is_cloaked(api: Api, number: int) -> bool:
    """Whether the window manager keeps it invisible: another virtual desktop's, or a sleeping app's."""
    cloaked = DWORD()
    answer = api.DwmGetWindowAttribute(number, c.DWMWA_CLOAKED, ctypes.byref(cloaked), ctypes.sizeof(cloaked))
    return answer == 0 and cloaked.value != 0


def _focused(api: Api) -> int | None:
    number = api.GetForegroundWindow()
    return pid_of(api, number) or None if number else None

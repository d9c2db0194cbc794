"""Looks at all windows on the screen: where they are, whose, and what sets them apart. Never their titles or contents.

macOS gives titles only with the right to record the screen; the key that holds them is not asked for.
"""

from collections.abc import Callable, Iterator, Sequence

from app.contract.times import Clock
from lockdown import foreign_windows
from lockdown.capabilities import Finding, unsupported
from lockdown.foreign_windows import ForeignWindows, Window
from lockdown.macos.core import get, items, released, value_of
from lockdown.macos.functions import Api
from lockdown.processes import ProcessTable, Program

_ON_SCREEN, _NO_DESKTOP = 1, 16  # kCGWindowListOptionOnScreenOnly, kCGWindowListExcludeDesktopElements
_NOT_SHARED = 0  # kCGWindowSharingNone
_NORMAL_LAYER = 0


class WindowList:
    """Reports windows over the exam and windows kept out of recordings; implements ``WindowWatch``.

    Who has the focus is not asked: the shell's own window knows when it loses it. **Does not stop** an overlay inside
    a permitted program; since macOS 15 recorders may see windows that ask not to be shared, and still they are named.
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
        """Return what is new since the last call. Raises ``Unsupported`` if macOS does not list the windows."""
        return self._foreign.look(shown(self._api), focused=None)


class Owners:
    """Knows which programs have a window on the screen; implements ``lockdown.unknown.WindowOwners``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def pids(self) -> frozenset[int]:
        """Return their process ids. Raises ``Unsupported``."""
        return frozenset(window.pid for window in shown(self._api))

    def close(self) -> None:
        """Nothing is kept open."""


def shown(api: Api) -> Sequence[Window]:
    """Return every window on the screen, front to back. Raises ``Unsupported``."""
    with released(api, api.CGWindowListCopyWindowInfo(_ON_SCREEN | _NO_DESKTOP, 0)) as windows:
        if not windows:
            raise unsupported("macOS does not list the windows.", "Start Fairlock from the desktop.")
        return [window for item in items(api, windows) if (window := _window(api, item)) is not None]


def _window(api: Api, item: int) -> Window | None:
    place = get(api, item, "kCGWindowBounds")
    alpha = _number(api, item, "kCGWindowAlpha", otherwise=1)
    width, height = (round(_number(api, place, name)) for name in ("Width", "Height"))
    if alpha <= 0 or min(width, height) < foreign_windows.SMALLEST:
        return None
    return Window(
        number=int(_number(api, item, "kCGWindowNumber")),
        pid=int(_number(api, item, "kCGWindowOwnerPID")),
        left=round(_number(api, place, "X")),
        top=round(_number(api, place, "Y")),
        width=width,
        height=height,
        signs=tuple(_signs(api, item, alpha)),
    )


def _signs(api: Api, item: int, alpha: float) -> Iterator[str]:
    # Without the key nothing is known, which must not look like "not shared".
    if _number(api, item, "kCGWindowSharingState", otherwise=1) == _NOT_SHARED:
        yield foreign_windows.HIDDEN
    if _number(api, item, "kCGWindowLayer") > _NORMAL_LAYER:
        yield foreign_windows.TOPMOST
    if alpha < 1:
        yield foreign_windows.TRANSLUCENT


def _number(api: Api, dictionary: int | None, key: str, otherwise: float = 0) -> float:
    found = value_of(api, dictionary, key)
    return found if isinstance(found, int | float) else otherwise

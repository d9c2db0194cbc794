"""Keeps one of our own windows out of recordings. The shell calls it: Windows lets no program do that to another's."""

from lockdown.capabilities import unsupported
from lockdown.windows import constants as c
from lockdown.windows.functions import Api


def shield(api: Api, window: int, *, on: bool) -> None:
    """Exclude ``window`` (its HWND) from every recording, our own included, or let it be seen again.

    Raises ``Unsupported``: Windows before version 2004 can't, and no program can for a window that is not its own.
    """
    affinity = c.WDA_EXCLUDEFROMCAPTURE if on else c.WDA_NONE
    if not api.SetWindowDisplayAffinity(window, affinity):
        raise unsupported(
            "Windows does not keep the window out of recordings.", "Update Windows to version 2004 or newer."
        )

"""Which keys mean nothing in an exam on Windows. Pure: a key and what is held with it go in, a name or nothing out.

Everything needed to write stays free, input methods included (Alt+`, Kanji, Hangul, Shift+Space), and so do the keys of
screen readers (Insert, Caps Lock with others). Ctrl+Alt+Del can't be blocked by any program.
"""

from collections.abc import Set as AbstractSet

from lockdown.windows import constants as c

SYSTEM_KEY = "Meta"
"""The key with Windows' sign, named as ``app.shell.keys`` does. Magnifier and Narrator are called by it."""

_ALONE = {
    c.VK_LWIN: SYSTEM_KEY,
    c.VK_RWIN: SYSTEM_KEY,
    c.VK_APPS: "Menu",
    c.VK_SNAPSHOT: "Print",
    c.VK_SLEEP: "Sleep",
    c.VK_HELP: "Help",
    c.VK_F1: "F1",
    c.VK_F12: "F12",
    **dict.fromkeys(range(c.VK_BROWSER_BACK, c.VK_BROWSER_HOME + 1), "Browser key"),
    **dict.fromkeys(range(c.VK_LAUNCH_MAIL, c.VK_LAUNCH_APP2 + 1), "Launch key"),
}
_WITH_ALT = {c.VK_TAB: "Tab", c.VK_ESCAPE: "Escape", c.VK_F4: "F4", c.VK_SPACE: "Space"}
_WITH_CONTROL = {c.VK_ESCAPE: "Escape"}  # the start menu, and with Shift the task manager


def blocked(key: int, *, alt: bool, control: bool, shift: bool, allowed: AbstractSet[str] = frozenset()) -> str | None:
    """Return the combination's name if it must not reach any program; ``key`` is a virtual key code."""
    if key in _ALONE:
        name = _ALONE[key]
    elif alt and key in _WITH_ALT:
        name = f"Alt+{_WITH_ALT[key]}"
    elif control and key in _WITH_CONTROL:
        name = f"Ctrl+Shift+{_WITH_CONTROL[key]}" if shift else f"Ctrl+{_WITH_CONTROL[key]}"
    else:
        return None
    return None if name in allowed else name

"""Which key combinations mean nothing in an exam. Pure: names in, a name out; ``app.shell.kiosk`` feeds it.

With the keyboard grabbed these combinations reach the exam window instead of the desktop. They are swallowed and
noted (``app.shell.reports``). Accessibility keys and everything needed to write stay free.
"""

from collections.abc import Set as AbstractSet

BLOCKED_ALONE = frozenset({"F1", "F12", "Print", "SysReq", "Super_L", "Super_R", "Meta", "Menu", "Help", "LaunchMail"})
BLOCKED_WITH_CONTROL = frozenset({"N", "O", "P", "T", "W", "Escape", "Tab"})
BLOCKED_WITH_CONTROL_SHIFT = frozenset({"C", "I", "J", "N", "P", "T", "W", "Delete", "Escape", "Tab"})
BLOCKED_WITH_ALT = frozenset({"F2", "F4", "Escape", "Space", "Tab", "Backtab", "Home", "Left", "Right"})


def blocked(key: str, modifiers: AbstractSet[str]) -> str | None:
    """Return the combination's name if it must not reach the page.

    ``key`` is Qt's name without ``Key_``; ``modifiers`` holds any of "Ctrl", "Shift", "Alt", "Meta".
    """
    plain = "Tab" if key == "Backtab" else key
    control, shift, alt = "Ctrl" in modifiers, "Shift" in modifiers, "Alt" in modifiers
    is_blocked = (
        key in BLOCKED_ALONE
        or ("Meta" in modifiers and key != "Meta")
        or (control and alt and (key.startswith("F") or key in ("Delete", "Backspace")))
        or (alt and not control and key in BLOCKED_WITH_ALT)
        or (control and shift and not alt and plain in BLOCKED_WITH_CONTROL_SHIFT)
        or (control and not shift and not alt and plain in BLOCKED_WITH_CONTROL)
    )
    if not is_blocked:
        return None
    order = [name for name in ("Ctrl", "Alt", "Shift", "Meta") if name in modifiers and name != key]
    return "+".join([*order, plain])

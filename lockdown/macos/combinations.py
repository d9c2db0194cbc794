"""Which keys mean nothing in an exam on macOS. Pure: a key and what is held with it go in, a name or nothing comes out.

Everything needed to write stays free: Option with letters, Control+Space and the Globe key for input methods, and
VoiceOver's Control+Option with anything. Command+Option+Escape is macOS' own and reaches no program.
"""

from collections.abc import Set as AbstractSet

SHIFT, CONTROL, OPTION, COMMAND = 0x20000, 0x40000, 0x80000, 0x100000  # CGEventFlags

# Virtual key codes (HIToolbox/Events.h); they name places on the keyboard, not letters.
_WITH_COMMAND = {
    48: "Tab",
    50: "`",
    49: "Space",
    12: "Q",
    4: "H",
    46: "M",
    13: "W",
    45: "N",
    17: "T",
    35: "P",
    31: "O",
    43: ",",
    99: "F3",
    122: "F1",
}
_WITH_COMMAND_SHIFT = {20: "3", 21: "4", 23: "5", 22: "6"}  # screenshots
_WITH_CONTROL = {126: "Up", 125: "Down", 123: "Left", 124: "Right"}  # Mission Control and its spaces
_ALONE = {160: "Mission Control", 131: "Launchpad", 130: "Dashboard", 103: "F11"}


def blocked(key: int, flags: int, allowed: AbstractSet[str] = frozenset()) -> str | None:
    """Return the combination's name if it must not reach any program; ``key`` is a virtual key code."""
    command, control, option = bool(flags & COMMAND), bool(flags & CONTROL), bool(flags & OPTION)
    shift = bool(flags & SHIFT)
    if command and shift and key in _WITH_COMMAND_SHIFT:
        name = f"Command+Shift+{_WITH_COMMAND_SHIFT[key]}"
    elif command and key in _WITH_COMMAND:
        name = f"Command+{_WITH_COMMAND[key]}"
    elif control and not option and not command and key in _WITH_CONTROL:
        name = f"Control+{_WITH_CONTROL[key]}"
    elif not (command or control or option) and key in _ALONE:
        name = _ALONE[key]
    else:
        return None
    return None if name in allowed else name

"""What the exam could leave behind on a desktop, seen from outside: a program of its own asks the X server and /proc.

``Machine.state`` is taken before an exam and compared after; ``Machine.differs`` says in words what is not as before.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from Xlib import X, error
from Xlib.display import Display

from tests.xserver import Desktop

HELD_OPTION = b"srvrkeys:none"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that an exam changes, and the neighbourhood of what it changes."""

    key_map_options: bytes
    key_map: str
    screen_saver: tuple[int, ...]
    power_saving: tuple[int, ...]
    selection_owners: tuple[int, ...]
    keyboard_and_pointer: tuple[str, ...]
    focus: int
    monitors: tuple[str, ...]
    windows: frozenset[int]
    root_properties: frozenset[str]
    processes: frozenset[int]
    files: frozenset[str]


class Machine:
    """One desktop and one home folder; used by one thread. It has a window of its own, which has the focus before."""

    def __init__(self, desktop: Desktop, home: Path) -> None:
        self._desktop = desktop
        self.home = home
        self.spared: frozenset[int] = frozenset()
        """Processes that may live on, because they still send the recording."""
        self._display = Display(desktop.display)
        self._root: Any = self._display.screen().root
        self._window: Any = self._root.create_window(
            40, 40, 300, 200, 0, X.CopyFromParent, background_pixel=self._display.screen().white_pixel
        )
        self._window.set_wm_name("bystander")
        self._window.set_wm_hints(flags=1, input=1)
        self._window.map()
        self._display.sync()

    def close(self) -> None:
        """Close the window and the connection."""
        self._display.close()

    def take_focus(self) -> bool:
        """Ask for the keyboard focus for the bystander's window; whether it has it by now."""
        self._drain()
        self._window.map()  # again: a window manager that is just starting may have missed the first time
        self._window.set_input_focus(X.RevertToParent, X.CurrentTime, onerror=error.CatchError(error.XError))
        return bool(getattr(self._display.get_input_focus().focus, "id", 0) == self._window.id)

    def state(self) -> State:
        """Look at everything; takes some 30 ms."""
        self._drain()
        return State(
            key_map_options=self._options(),
            key_map=hashlib.sha256(
                self._desktop.run("xkbcomp", "-xkb", self._desktop.display, "-").encode()
            ).hexdigest(),
            screen_saver=self._saver(),
            power_saving=self._power(),
            selection_owners=self._selection_owners(),
            keyboard_and_pointer=self._free_to_grab(),
            focus=getattr(self._display.get_input_focus().focus, "id", 0),
            monitors=self._monitors(),
            windows=frozenset(window.id for window in self._root.query_tree().children if self._is_shown(window)),
            root_properties=frozenset(self._display.get_atom_name(atom) for atom in self._root.list_properties()),
            processes=frozenset(self.processes()) - self.spared,
            files=self._files(),
        )

    def differs(self, before: State) -> tuple[str, ...]:
        """Return the names of what is not as in ``before``; what is cheap to ask first, and no more if it differs."""
        self._drain()
        cheap = {
            "files": self._files() != before.files,
            "key_map_options": self._options() != before.key_map_options,
            "screen_saver": (self._saver(), self._power()) != (before.screen_saver, before.power_saving),
        }
        if found := tuple(name for name, is_other in cheap.items() if is_other):
            return found
        now = self.state()
        return tuple(field.name for field in fields(State) if getattr(now, field.name) != getattr(before, field.name))

    def is_changed(self) -> bool:
        """Whether the key map is held at this moment."""
        return HELD_OPTION in self._options()

    def saver_is_off(self) -> bool:
        """Whether the screen saver is held at this moment."""
        return self._saver()[0] == 0

    def processes(self) -> dict[int, str]:
        """Return every living process that was started for this home folder, however far away, with its command."""
        mark = f"FAIRLOCK_HOME={self.home}".encode()
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError):
                    alive = (folder / "stat").read_text().rpartition(") ")[2][0] not in "ZX"
                    if alive and mark in (folder / "environ").read_bytes().split(b"\0"):
                        found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def _files(self) -> frozenset[str]:
        found = {path.name for path in (self.home / "data").glob("restore.*")}
        return frozenset(found - {"restore.lock"})  # the lock has no content and stays

    def _options(self) -> bytes:
        found = self._root.get_full_property(self._display.intern_atom("_XKB_RULES_NAMES"), X.AnyPropertyType)
        value = found.value if found is not None else b""
        return value if isinstance(value, bytes) else str(value).encode()

    def _saver(self) -> tuple[int, ...]:
        saver = self._display.get_screen_saver()
        return saver.timeout, saver.interval, saver.prefer_blanking, saver.allow_exposures

    def _power(self) -> tuple[int, ...]:
        if not self._display.has_extension("DPMS"):
            return ()  # Xvfb has none
        info = self._display.dpms_info()
        return info.power_level, info.state

    def _selection_owners(self) -> tuple[int, ...]:
        owners = (self._display.get_selection_owner(self._display.intern_atom(n)) for n in ("CLIPBOARD", "PRIMARY"))
        return tuple(getattr(owner, "id", 0) for owner in owners)

    def _free_to_grab(self) -> tuple[str, ...]:
        """Take keyboard and pointer for a moment: whoever else holds one keeps us from it."""
        keyboard = self._root.grab_keyboard(False, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
        pointer = self._root.grab_pointer(False, 0, X.GrabModeAsync, X.GrabModeAsync, X.NONE, X.NONE, X.CurrentTime)
        self._display.ungrab_keyboard(X.CurrentTime)
        self._display.ungrab_pointer(X.CurrentTime)
        self._display.sync()
        return tuple("free" if answer == X.GrabSuccess else "held" for answer in (keyboard, pointer))

    def _monitors(self) -> tuple[str, ...]:
        return tuple(
            f"{self._display.get_atom_name(m.name)} {m.width_in_pixels}x{m.height_in_pixels}+{m.x}+{m.y}"
            for m in self._root.xrandr_get_monitors().monitors
        )

    @staticmethod
    def _is_shown(window: Any) -> bool:
        try:
            return bool(window.get_attributes().map_state == X.IsViewable)
        except error.XError:
            return False

    def _drain(self) -> None:
        while self._display.pending_events():
            self._display.next_event()

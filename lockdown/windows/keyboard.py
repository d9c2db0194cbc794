"""Holds the keyboard: the hook, and the shortcuts that open a dialog over the exam (Shift five times, and its kin).

Sticky, filter and toggle keys themselves stay as the candidate has them. Only their shortcuts go, which outlives the
process, so it is written down and undone.
"""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding, Replay, Undo, unsupported
from lockdown.windows import constants as c
from lockdown.windows.binary import FILTERKEYS, STICKYKEYS, TOGGLEKEYS
from lockdown.windows.functions import Api
from lockdown.windows.hook import KeyboardHook

UNDO_KIND = "windows-key-shortcuts"
REPORT_EVERY_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shortcut:
    """One accessibility feature: its structure, how to read and set it, and the bit of its shortcut."""

    kind: type[Any]
    read: int
    write: int
    bit: int


_SHORTCUTS: Mapping[str, _Shortcut] = {
    "sticky": _Shortcut(kind=STICKYKEYS, read=c.SPI_GETSTICKYKEYS, write=c.SPI_SETSTICKYKEYS, bit=c.SKF_HOTKEYACTIVE),
    "filter": _Shortcut(kind=FILTERKEYS, read=c.SPI_GETFILTERKEYS, write=c.SPI_SETFILTERKEYS, bit=c.FKF_HOTKEYACTIVE),
    "toggle": _Shortcut(kind=TOGGLEKEYS, read=c.SPI_GETTOGGLEKEYS, write=c.SPI_SETTOGGLEKEYS, bit=c.TKF_HOTKEYACTIVE),
}


class KeyboardGuard:
    """Holds the hook and the shortcuts; implements ``InputGuard`` and reports now and then what the hook counted."""

    def __init__(self, api: Api, clock: Clock, hook: KeyboardHook) -> None:
        self._api = api
        self._clock = clock
        self._hook = hook
        self._last_report: Instant | None = None
        _states(api)

    def plan(self) -> Sequence[Undo]:
        """Return how to give the shortcuts back."""
        says = "Shortcuts of sticky, filter and toggle keys work as before"
        return (Undo(kind=UNDO_KIND, arguments=_states(self._api), says=says),)

    def engage(self) -> None:
        """Set the hook and switch the shortcuts off. Raises ``Unsupported``."""
        self._hook.start()
        _set(self._api, dict.fromkeys(_SHORTCUTS, "off"))

    def holds(self) -> bool:
        """Whether both are as engaged."""
        return self._hook.is_set and set(_states(self._api).values()) == {"off"}

    def release(self) -> None:
        """Take the hook away; the shortcuts are given back by replaying."""
        self._hook.stop()

    def observe(self) -> Sequence[Finding]:
        """Return what was swallowed and what programs typed, at most every ``REPORT_EVERY_S`` seconds.

        Raises ``Unsupported`` when the hook is gone and can't be set again.
        """
        now = self._clock.now()
        if self._last_report is not None and now.seconds_since(self._last_report) < REPORT_EVERY_S:
            return ()
        if not self._hook.is_set:
            self._hook.start()
        found = [
            Finding(kind=IncidentKind.KEY_BLOCKED, facts={"keys": name, "times": str(times)})
            for name, times in sorted(self._hook.take_blocked().items())
        ]
        if injected := self._hook.take_injected():
            found.append(Finding(kind=IncidentKind.INPUT_INJECTED, facts={"keys": str(injected), "by": "a program"}))
        if found:
            self._last_report = now
        return found


def replayer(api: Api) -> Replay:
    """Return the function that sets the shortcuts which an ``Undo`` names."""
    return lambda arguments: _set(api, arguments)


def _states(api: Api) -> dict[str, str]:
    """Return "on" or "off" for each shortcut. Raises ``Unsupported``."""
    return {
        name: "on" if _read(api, shortcut).dwFlags & shortcut.bit else "off" for name, shortcut in _SHORTCUTS.items()
    }


def _set(api: Api, states: Mapping[str, str]) -> None:
    for name, shortcut in _SHORTCUTS.items():
        settings = _read(api, shortcut)
        others = settings.dwFlags & ~shortcut.bit
        settings.dwFlags = others | shortcut.bit if states[name] == "on" else others
        if not api.SystemParametersInfoW(shortcut.write, settings.cbSize, ctypes.byref(settings), 0):
            raise _refused(name)


def _read(api: Api, shortcut: _Shortcut) -> Any:
    settings = shortcut.kind(cbSize=ctypes.sizeof(shortcut.kind))
    if not api.SystemParametersInfoW(shortcut.read, settings.cbSize, ctypes.byref(settings), 0):
        raise _refused("accessibility")
    return settings


def _refused(what: str) -> Exception:
    return unsupported(f"Windows does not let the shortcut of the {what} keys be switched off.")

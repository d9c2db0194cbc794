"""Counts keys, clicks and movements that a program made through XTEST: remote control, macros, text expanders.

The X server keeps such input apart, as devices of its own. Only those devices are listened to, so what a person types
never comes to this process; and of what a program typed, only that it did is counted: the number of the key, which the
server sends along, is not looked at. Used by one thread of the guard.
"""

from collections import Counter
from collections.abc import Sequence

from Xlib import error
from Xlib.ext import ge, xinput

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding, unsupported
from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported

REPORT_EVERY_S = 5.0
_VERSION = (2, 2)  # from 2.1 on raw events come also while another program holds the keyboard
_DEVICES = ("XTEST keyboard", "XTEST pointer")  # ends of the names that the server gives them
_MASK = xinput.RawKeyPressMask | xinput.RawButtonPressMask | xinput.RawMotionMask
_NAMES = {xinput.RawKeyPress: "keys", xinput.RawButtonPress: "clicks", xinput.RawMotion: "movements"}


class InjectedInput:
    """A watch; a part of ``InputGuard``. Raises ``Unsupported`` where the X server can't tell input apart.

    **Mitigates against** remote control and programs that type or click, unnoticed.
    **Does not stop** a device made of hardware or of the kernel's uinput, which looks like any other keyboard.
    """

    def __init__(self, server: XServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._first: Instant | None = None
        self._checked: Instant | None = None
        self._listening: set[int] = set()
        if not server.display.has_extension("XInputExtension"):
            raise unsupported("This X server does not tell where keys and clicks come from.")
        with lost_connection_is_unsupported():
            major = server.display.display.get_extension_major("XInputExtension")
            xinput.XIQueryVersion(
                display=server.display.display, opcode=major, major_version=_VERSION[0], minor_version=_VERSION[1]
            )
            self._listen()

    def observe(self) -> Sequence[Finding]:
        """Return one finding for all that was injected, at most every ``REPORT_EVERY_S`` seconds."""
        now = self._clock.now()
        with lost_connection_is_unsupported():
            self._count(now)
            if self._checked is None or now.seconds_since(self._checked) >= REPORT_EVERY_S:
                self._checked = now
                self._listen()  # a program can make more such devices
        if self._first is None or now.seconds_since(self._first) < REPORT_EVERY_S:
            return ()
        first, counts = self._first, self._counts
        self._first, self._counts = None, Counter()
        facts = {name: str(counts[name]) for name in _NAMES.values() if counts[name]}
        return (Finding(kind=IncidentKind.INPUT_INJECTED, facts={**facts, "by": "XTEST"}, since=first),)

    def _count(self, now: Instant) -> None:
        while self._server.display.pending_events():
            event = self._server.display.next_event()
            if event.type == ge.GenericEventCode and event.evtype in _NAMES:
                self._counts[_NAMES[event.evtype]] += 1
                self._first = self._first or now

    def _listen(self) -> None:
        devices = self._server.display.xinput_query_device(xinput.AllDevices).devices
        wanted = {device.deviceid for device in devices if device.name.endswith(_DEVICES)}
        if not wanted:
            raise unsupported("This X server does not tell which input a program made.")
        new = wanted - self._listening
        self._listening = wanted
        if new:
            try:
                self._server.root.xinput_select_events([(device, _MASK) for device in sorted(new)])
                self._server.display.sync()
            except error.XError as problem:
                raise unsupported("The X server refuses to say which input a program made.") from problem

"""Asks the desktop's screen saver over the session's message bus not to start: KDE, Xfce, Cinnamon and others.

What was asked for ends with the connection that asked, so with this process: nothing has to be undone. Sources: the
"Idle Inhibition Service" of freedesktop.org, and the D-Bus interface of xfce4-screensaver, which says the same.
"""

from collections.abc import Mapping, Sequence

from app.contract.errors import Unsupported
from lockdown.linux_system.bus_messages import Service
from lockdown.linux_system.session_bus import SessionBus

SAVERS = (
    Service(
        name="org.freedesktop.ScreenSaver",
        path="/org/freedesktop/ScreenSaver",
        interface="org.freedesktop.ScreenSaver",
    ),
    Service(name="org.xfce.ScreenSaver", path="/org/xfce/ScreenSaver", interface="org.xfce.ScreenSaver"),
)
WHO, WHY = "fairlock", "An exam is running"


class Asked:
    """A request to ``saver`` that stands until it is ended, or until this process or the saver is gone.

    Raises ``Unsupported`` where it is refused, or nobody is there to be asked. Implements ``awake.Held``.
    """

    def __init__(self, saver: Service, environment: Mapping[str, str]) -> None:
        self._saver = saver
        self._bus = SessionBus(environment)
        try:
            self._owner = self._bus.owner(saver.name)
            self._bus.call(saver, "Inhibit", WHO, WHY)
        except Unsupported:
            self._bus.close()
            raise

    @property
    def is_running(self) -> bool:
        """Whether the one that was asked is still there; another one knows nothing of it."""
        self._bus.go_on()
        try:
            return self._bus.owner(self._saver.name) == self._owner
        except Unsupported:
            return False

    def end(self) -> None:
        """Take the request back. Idempotent."""
        self._bus.close()


def savers(environment: Mapping[str, str]) -> Sequence[Service]:
    """Return which of ``SAVERS`` run in this session; none of them is started."""
    try:
        bus = SessionBus(environment)
    except Unsupported:
        return ()
    try:
        return [saver for saver in SAVERS if _runs(bus, saver)]
    finally:
        bus.close()


def _runs(bus: SessionBus, saver: Service) -> bool:
    try:
        return bool(bus.owner(saver.name))
    except Unsupported:
        return False

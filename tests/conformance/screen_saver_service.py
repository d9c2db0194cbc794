"""A screen saver on a message bus, for the system's Python: forgets a request when the one that asked is gone.

So the "Idle Inhibition Service" of freedesktop.org has it. Takes the name, the object and the interface it is to have;
says ``ready``, then ``+ WHO: WHY`` for each request and ``-`` for each that ended. With ``refuse`` as the last argument
it refuses.
"""

import sys
from typing import Any

from gi.repository import Gio, GLib  # type: ignore[import-not-found]

XML = """<node><interface name="{interface}"><method name="Inhibit">
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="u" direction="out"/>
</method></interface></node>"""


def say(line: str) -> None:
    """Write a line at once."""
    print(line, flush=True)


def answer(
    bus: Any, sender: str, _path: str, _interface: str, _method: str, arguments: Any, invocation: Any, *_: Any
) -> None:
    """Take a request, and watch whoever made it."""
    if sys.argv[-1] == "refuse":
        invocation.return_dbus_error("org.freedesktop.DBus.Error.AccessDenied", "no")
        return
    who, why = arguments.unpack()
    say(f"+ {who}: {why}")
    Gio.bus_watch_name_on_connection(bus, sender, Gio.BusNameWatcherFlags.NONE, None, lambda *_gone: say("-"))
    invocation.return_value(GLib.Variant("(u)", (7,)))


def main() -> None:
    """Serve until killed."""
    name, path, interface = sys.argv[1:4]
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    described = Gio.DBusNodeInfo.new_for_xml(XML.format(interface=interface)).interfaces[0]
    bus.register_object(path, described, answer)
    Gio.bus_own_name_on_connection(bus, name, Gio.BusNameOwnerFlags.NONE, lambda *_owned: say("ready"), None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()

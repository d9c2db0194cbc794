"""What the X server knows about remote control: its extensions, its displays' names, and who is connected to it.

Programs are told apart by the process id that the server gives (X-Resource 1.2), which a program can't choose. No
window is looked into.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from Xlib import error

from lockdown.environment.remote import Client
from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported
from lockdown.processes import ProcessTable

_LOCAL_CLIENT_PID = 2
_WATCHES, _HEARS = "DAMAGE", "RECORD"
_ALL_CLIENTS = 0


class XSession:
    """Answers from the X server; used by one thread."""

    def __init__(self, server: XServer, table: ProcessTable, is_own: Callable[[int], bool]) -> None:
        self._server = server
        self._table = table
        self._is_own = is_own

    @property
    def display(self) -> str:
        """The name of the display, such as ":0" or "localhost:10.0"."""
        return self._server.name

    def extensions(self) -> Sequence[str]:
        """Return the names of the server's extensions."""
        with lost_connection_is_unsupported():
            return [str(name) for name in self._server.display.list_extensions()]

    def outputs(self) -> Sequence[str]:
        """Return the names of the monitors."""
        with lost_connection_is_unsupported():
            monitors = self._server.root.xrandr_get_monitors().monitors
            return [str(self._server.display.get_atom_name(monitor.name)) for monitor in monitors]

    def clients(self) -> Sequence[Client]:
        """Return the programs of others that are connected; nothing where the server can't say (no X-Resource)."""
        if not self._server.display.has_extension("X-Resource"):
            return ()
        with lost_connection_is_unsupported():
            return list(self._clients())

    def _clients(self) -> Iterator[Client]:
        display = self._server.display
        visible = {
            self._server.pid_of(window) for window in self._server.numbers(self._server.root, "_NET_CLIENT_LIST")
        }
        visible |= self._window_managers()
        answer = display.res_query_client_ids([{"client": _ALL_CLIENTS, "mask": _LOCAL_CLIENT_PID}])
        for entry in answer.ids:
            pid = int(entry.value[0]) if entry.spec.mask == _LOCAL_CLIENT_PID and entry.value else 0
            if not pid or self._is_own(pid) or (program := self._table.look(pid)) is None:
                continue
            kinds = self._kinds(entry.spec.client)
            yield Client(
                program=program.path.rpartition("/")[2] or program.name,
                watches_screen=any(_WATCHES in kind for kind in kinds),
                hears_keys=any(_HEARS in kind for kind in kinds),
                is_visible=pid in visible,
            )

    def _window_managers(self) -> set[int | None]:
        """Return who manages or composes the windows: they watch the picture because it is their task."""
        root = self._server.root
        managers = [self._server.number(root, "_NET_SUPPORTING_WM_CHECK")]
        selection = self._server.display.intern_atom(f"_NET_WM_CM_S{self._server.display.get_default_screen()}")
        owner: Any = self._server.display.get_selection_owner(selection)
        managers.append(getattr(owner, "id", None))
        return {self._server.pid_of(window) for window in managers if window}

    def _kinds(self, client: int) -> Sequence[str]:
        """Return the names of the kinds of things that ``client`` made in the server, in capitals."""
        display = self._server.display
        try:
            answer = display.res_query_client_resources(client)
            return [str(display.get_atom_name(one.resource_type)).upper() for one in answer.types]
        except error.XError:  # it left at this moment
            return ()

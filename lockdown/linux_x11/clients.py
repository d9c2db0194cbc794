"""Which processes have a window on the screen. Asks for owners only; titles and contents are never read."""

from Xlib import X, error

from lockdown.linux_x11.server import XServer, lost_connection_is_unsupported


class Clients:
    """Implements ``unknown.WindowOwners`` over a connection of its own; asks anew only when windows come or go."""

    def __init__(self, server: XServer) -> None:
        self._server = server
        self._pids: frozenset[int] | None = None
        with lost_connection_is_unsupported():
            server.root.change_attributes(event_mask=X.SubstructureNotifyMask | X.PropertyChangeMask)
            server.display.sync()

    def pids(self) -> frozenset[int]:
        """Return the processes that have a window the window manager knows, or one of their own on the screen."""
        with lost_connection_is_unsupported():
            if self._has_changed() or self._pids is None:
                managed = self._server.numbers(self._server.root, "_NET_CLIENT_LIST")
                mask = self._server.display.display.info.resource_id_mask
                # All windows of one connection have the same owner.
                one_each = {number & ~mask: number for number in (*managed, *self._shown())}
                owners = map(self._server.pid_of, one_each.values())
                self._pids = frozenset(pid for pid in owners if pid is not None)
            return self._pids

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def _has_changed(self) -> bool:
        changed = False
        while self._server.display.pending_events():
            self._server.display.next_event()
            changed = True
        return changed

    def _shown(self) -> list[int]:
        """Return the children of the root window that are on the screen and larger than a point."""
        return [child.id for child in self._server.root.query_tree().children if self._is_shown(child.id)]

    def _is_shown(self, number: int) -> bool:
        try:
            window = self._server.window(number)
            attributes = window.get_attributes()
            if attributes.map_state != X.IsViewable or attributes.win_class != X.InputOutput:
                return False
            place = window.get_geometry()
        except error.XError:
            return False  # it closed meanwhile
        return bool(place.width > 1 and place.height > 1)

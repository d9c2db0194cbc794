"""Which windows of others lie over ours, from the X server's own stacking order: also those no window manager knows.

Used by one thread of the guard. Looks at places, shapes and owners only (``appearance``).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from Xlib import X, error

from lockdown.linux_x11.appearance import Box, box_of, signs_of, visible_parts
from lockdown.linux_x11.server import XServer, desktop_programs

INSIDE = "inside the exam window"
CANVAS = "drawn on the compositor's canvas"

_OWN_SHARE = 20  # an own window smaller than a twentieth of the largest is a tooltip or a menu, not the exam
_DEEPEST = 6  # levels of windows inside ours that are looked through
_CANVAS_TYPE = "CompositeClientOverlay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """Something of another program over the exam.

    ``window`` is a child of the root window and ``client`` what it holds if it is a frame, else the same. ``covered``
    is the share of the exam's window in percent, ``signs`` what sets it apart from a plain window.
    """

    window: int
    client: int
    pid: int | None
    covered: int
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Top:
    """A child of the root window. ``of_desktop``: a window of the window manager's that holds no client."""

    window: int
    client: int
    pid: int | None
    is_own: bool
    of_desktop: bool


class Stack:
    """The windows from the lowest to the highest. ``is_own`` says whether a process id is ours.

    The window manager and the compositor are those that run when this is made: their own windows (frames, switchers,
    the picture of the whole screen) don't count, and nobody gets that right later by calling itself so.
    """

    def __init__(self, server: XServer, is_own: Callable[[int], bool]) -> None:
        self._server = server
        self._is_own = is_own
        self._desktop = desktop_programs(server)
        self._known: dict[int, _Top] = {}
        self._changed = False
        self._pids: dict[int, int | None] = {}
        server.root.change_attributes(event_mask=X.SubstructureNotifyMask)

    def has_changed(self) -> bool:
        """Whether any window came, went, moved or changed its place in the stack since the last call."""
        self._hear()
        changed, self._changed = self._changed, False
        return changed

    def _hear(self) -> None:
        """Take the server's news. A window's number is given to another program as soon as its own is gone."""
        while self._server.display.pending_events():
            event = self._server.display.next_event()
            if event.type in (X.CreateNotify, X.DestroyNotify):
                self._known.pop(event.window.id, None)
            self._changed = True

    def over_own(self) -> Sequence[Over]:
        """Return all that covers a part of one of our windows, was put into one, or may draw over everything."""
        self._pids.clear()
        tops = self._tops()
        shown = {top: box for top in tops if top.is_own and (box := box_of(self._server, top.window)) is not None}
        largest = max((box.area for box in shown.values()), default=0)
        if not largest:
            return ()
        exams = {top: box for top, box in shown.items() if box.area * _OWN_SHARE >= largest}
        found: list[Over] = []
        below: list[Box] = []
        for top in tops:
            if top in exams:
                below.append(exams[top])
                found.extend(self._planted(top.window, exams[top]))
            elif below and not (top.is_own or top.of_desktop):
                found.extend(self._judge(top.window, top.client, top.pid, below))
        return [*found, *self._canvases()]

    # --- whose is it -----------------------------------------------------------------------------------------------

    def _tops(self) -> list[_Top]:
        numbers = [child.id for child in self._server.root.query_tree().children]
        self._hear()  # what happened before that answer has arrived with it
        tops = [self._known.get(number) or self._identify(number) for number in numbers]
        # A frame may get its client a moment later, so only it is looked at anew.
        self._known = {top.window: top for top in tops if not top.of_desktop}
        return tops

    def _identify(self, number: int) -> _Top:
        pid, client = self._pid_of(number), number
        if pid in self._desktop:
            # What is in a frame and not made by the desktop is the window that is framed.
            client = next(
                (inner for inner in self._children(number) if self._pid_of(inner) not in self._desktop), number
            )
            pid = self._pid_of(client)
        is_own = pid is not None and self._is_own(pid)
        return _Top(number, client, pid, is_own, pid in self._desktop and client == number)

    # --- what does it cover ----------------------------------------------------------------------------------------

    def _judge(self, window: int, client: int, pid: int | None, exams: Sequence[Box], *first: str) -> Iterator[Over]:
        box = box_of(self._server, window)
        if box is None or not any(box.common(exam) for exam in exams):
            return
        parts = visible_parts(self._server, window, box)
        covered = max(_share(exam, parts) for exam in exams)
        if covered:
            signs = (*first, *signs_of(self._server, window, client))
            yield Over(window=window, client=client, pid=pid, covered=covered, signs=signs)

    def _planted(self, number: int, exam: Box, depth: int = 0) -> Iterator[Over]:
        """Yield windows of others inside ours: any program may make its window a child of any other."""
        for child in self._children(number) if depth < _DEEPEST else ():
            pid = self._pid_of(child)
            if pid is not None and self._is_own(pid):
                yield from self._planted(child, exam, depth + 1)
            elif pid not in self._desktop:
                yield from self._judge(child, child, pid, [exam], INSIDE)

    def _canvases(self) -> Iterator[Over]:
        """Yield programs that hold the compositor's canvas: what is drawn there lies above all, and no list has it."""
        if not self._server.display.has_extension("X-Resource"):
            return
        wanted = self._server.display.get_atom(_CANVAS_TYPE)
        for client in self._server.display.res_query_clients().clients:
            try:
                types = self._server.display.res_query_client_resources(client.resource_base).types
            except error.XError:
                continue  # it closed its connection meanwhile
            if any(entry.resource_type == wanted for entry in types):
                pid = self._pid_of(client.resource_base)
                if pid not in self._desktop and not (pid is not None and self._is_own(pid)):
                    base = client.resource_base
                    yield Over(window=base, client=base, pid=pid, covered=100, signs=(CANVAS,))

    def _pid_of(self, number: int) -> int | None:
        """Return whose window it is; all windows of one connection have the same owner, so it is asked for once."""
        connection = number & ~self._server.display.display.info.resource_id_mask
        if connection not in self._pids:
            self._pids[connection] = self._server.pid_of(number)
        return self._pids[connection]

    def _children(self, number: int) -> list[int]:
        try:
            return [child.id for child in self._server.window(number).query_tree().children]
        except error.XError:
            return []


def _share(exam: Box, parts: Collection[Box]) -> int:
    """Percent of ``exam`` that ``parts`` cover, rounded up."""
    common = [both for part in parts if (both := part.common(exam)) is not None]
    return -(-100 * sum(both.area for both in common) // exam.area)

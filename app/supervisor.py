"""Starts the other processes, starts them again when they die, and ends them for sure.

Owned by the shell. Children are started with "spawn" (never "fork": Qt and threads do not survive it), each with one
``Channel``. It never decides what a restarted child should do: the callbacks do.
"""

import contextlib
import logging
import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

from app.channel import Channel

MAX_RESTARTS = 3
RESTART_WINDOW_S = 60.0
DYING_S = 0.5
TERMINATE_S = 1.0
KILL_S = 1.0

_log = logging.getLogger("fairlock.supervisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A running process and the channel to it. A restart makes another ``Child``."""

    name: str
    process: BaseProcess
    channel: Channel

    def send(self, message: object) -> None:
        """Send ``message`` to the child; never blocks."""
        self.channel.send(message)


class RestartWindow:
    """Allows ``limit`` restarts within any ``window_s`` seconds."""

    def __init__(self, limit: int = MAX_RESTARTS, window_s: float = RESTART_WINDOW_S) -> None:
        self._limit = limit
        self._window_s = window_s
        self._restarts: deque[float] = deque()

    def allow(self, now_s: float) -> bool:
        """Count one restart at ``now_s`` (monotonic seconds); ``False`` when there were too many."""
        while self._restarts and now_s - self._restarts[0] > self._window_s:
            self._restarts.popleft()
        if len(self._restarts) >= self._limit:
            return False
        self._restarts.append(now_s)
        return True


class Supervisor:
    """All children of this process. Callbacks run in a channel's reader thread, never in the caller's."""

    def __init__(self, context: SpawnContext | None = None) -> None:
        self._context = context or multiprocessing.get_context("spawn")
        self._lock = threading.Lock()
        self._children: dict[str, Child] = {}
        self._stopping = False

    def spawn(
        self,
        name: str,
        target: Callable[..., object],
        *args: object,
        on_message: Callable[[object], None],
        on_closed: Callable[[], None],
        on_restarted: Callable[[Child], None] | None = None,
        on_given_up: Callable[[], None] | None = None,
    ) -> Child:
        """Start ``target(connection, *args)`` in a new process; ``target`` and ``args`` must be picklable.

        ``on_closed`` is called when the child is gone without having been stopped. With ``on_restarted`` the child is
        then started again, at most ``MAX_RESTARTS`` times in ``RESTART_WINDOW_S``, and the new ``Child`` handed
        over; after that ``on_given_up`` is called.
        """
        plan = _Plan(name, target, args, on_message, on_closed, on_restarted, on_given_up, RestartWindow())
        return self._start(plan)

    def stop(self, deadline_s: float) -> Mapping[str, str]:
        """End all children and return how each ended: "exited", "terminated" or "killed".

        Closing the channel is the polite request; after ``deadline_s`` seconds for all together comes terminate,
        then kill. Never raises for a child that will not end.
        """
        with self._lock:
            self._stopping = True
            children = list(self._children.values())
            self._children.clear()
        for child in children:
            child.channel.close()
        deadline = time.monotonic() + deadline_s
        return {child.name: _end(child.process, deadline) for child in children}

    def _start(self, plan: "_Plan") -> Child:
        ours, theirs = self._context.Pipe(duplex=True)
        process = self._context.Process(target=plan.target, args=(theirs, *plan.args), name=plan.name)
        try:
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            # Only the child may hold its end, or its death would not be seen as end of file.
            theirs.close()
        child = Child(name=plan.name, process=process, channel=Channel(ours, plan.name))
        with self._lock:
            self._children[plan.name] = child
        child.channel.start(plan.on_message, lambda: self._lost(plan, child))
        return child

    def _lost(self, plan: "_Plan", child: Child) -> None:
        with self._lock:
            if self._stopping or self._children.get(plan.name) is not child:
                return
            del self._children[plan.name]
        how = _end(child.process, time.monotonic() + DYING_S)
        _log.warning("%s is gone (%s, exit code %s)", plan.name, how, child.process.exitcode)
        plan.on_closed()
        if plan.on_restarted is None:
            return
        if not plan.window.allow(time.monotonic()):
            _log.error("%s died too often and is not started again", plan.name)
            if plan.on_given_up is not None:
                plan.on_given_up()
            return
        if self._may_start():
            plan.on_restarted(self._start(plan))

    def _may_start(self) -> bool:
        with self._lock:
            return not self._stopping


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to start a child, and whom to tell."""

    name: str
    target: Callable[..., object]
    args: tuple[Any, ...]
    on_message: Callable[[object], None]
    on_closed: Callable[[], None]
    on_restarted: Callable[[Child], None] | None
    on_given_up: Callable[[], None] | None
    window: RestartWindow


def _end(process: BaseProcess, deadline: float) -> str:
    """Wait for ``process`` until ``deadline`` (monotonic seconds), then terminate it, then kill it."""
    process.join(max(0.0, deadline - time.monotonic()))
    if not process.is_alive():
        return "exited"
    process.terminate()
    process.join(TERMINATE_S)
    if not process.is_alive():
        return "terminated"
    process.kill()
    with contextlib.suppress(OSError):
        process.join(KILL_S)
    return "killed"

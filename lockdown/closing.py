"""Ends programs in four steps: ask its windows to close, terminate, wait, kill. What would not end is said.

Runs in the guard. Before each step the process is looked at again and must still be the same one (process id and
start time) of the same user: process ids are reused, and a signal to a stranger cannot be taken back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.contract.times import Clock
from lockdown.processes import ProcessTable, Program
from lockdown.rules import Match

CHECK_S = 0.05
AFTER_KILL_S = 1.0

# Asks the windows of a program to close and says whether it has any.
AskWindows = Callable[[Program], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What ended and what is still there."""

    closed: tuple[Match, ...]
    left: tuple[Match, ...]


def close(
    matches: Sequence[Match],
    table: ProcessTable,
    clock: Clock,
    *,
    grace_s: float,
    ask_windows: AskWindows = lambda _program: False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Closed:
    """End every program of ``matches``, all at the same time; takes ``grace_s`` + 1 s at most.

    Programs with windows are asked to close them and have half of ``grace_s`` to save; then all that are left get the
    polite signal, and at the end of ``grace_s`` the one that cannot be refused. With ``cancelled`` it stops early and
    ends nothing more.
    """
    start = clock.now()

    def wait_until(seconds: float) -> bool:
        while clock.now().seconds_since(start) < seconds and alive() and not cancelled():
            clock.sleep(CHECK_S)
        return bool(alive()) and not cancelled()

    def alive() -> list[Match]:
        return [m for m in matches if is_same(m.program, table)]

    asked = [m for m in alive() if ask_windows(m.program)]
    for found in alive():
        if found not in asked:
            table.terminate(found.program)
    if asked and wait_until(grace_s / 2):
        for found in alive():
            table.terminate(found.program)
    if wait_until(grace_s):
        for found in alive():
            table.kill(found.program)
        wait_until(grace_s + AFTER_KILL_S)
    left = alive()
    return Closed(closed=tuple(m for m in matches if m not in left), left=tuple(left))


def is_same(program: Program, table: ProcessTable) -> bool:
    """Whether ``program`` still runs: the same process id, start time and user."""
    now = table.look(program.pid)
    return now is not None and (now.created, now.user) == (program.created, program.user)

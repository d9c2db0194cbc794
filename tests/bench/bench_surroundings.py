"""What it costs to look at the surroundings: one look at each of them, and the processor time of watching all.

On a real X server without a screen, with the parts that the guard uses. Processor time, so that a busy machine counts
little; the best of several looks.
"""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack

from app.clock import SystemClock
from app.contract.policy import Lockdown
from app.guard.examining import SurveyWatch
from app.guard.holding import SURVEY_PERIOD_S
from lockdown import select
from lockdown.environment.evidence import Survey
from tests.bench.table import Row
from tests.xserver import x11_desktop

if select.system() == "linux":
    from lockdown.linux_system.parts import Plugs, Surroundings
    from lockdown.linux_x11.displays import RandrDisplays
    from lockdown.linux_x11.remote import XSession
    from lockdown.linux_x11.server import XServer
    from lockdown.processes import PsutilTable

ROUNDS = 10
WATCHED_S = 20.0
POLICY = Lockdown()


def run() -> list[Row]:
    """Measure; elsewhere than on Linux there is nothing to measure yet."""
    if select.system() != "linux":
        return []
    with x11_desktop() as desktop, ExitStack() as stack:
        parts = _parts(desktop.display, stack)
        rows = [Row(f"one look: {name}", _look(part), "ms CPU", None, None, "≤ 50") for name, part in parts.items()]
        rows.append(Row("watching the surroundings", _watch(list(parts.values())), "% of a core", None, None, "≤ 0.5"))
    return rows


def _parts(display: str, stack: ExitStack) -> dict[str, Survey]:
    clock = SystemClock()
    first, second = XServer(display), XServer(display)
    for server in (first, second):
        stack.callback(server.close)
    plugs = Plugs(clock)
    stack.callback(plugs.close)

    def is_own(pid: int) -> bool:
        return pid == os.getpid()

    return {
        "remote control, machine, debugger, cameras": Surroundings(
            clock, is_own, XSession(first, PsutilTable(), is_own)
        ),
        "storage, keyboards, mice": plugs,
        "displays": RandrDisplays(second),
    }


def _look(part: Survey) -> float:
    """Return milliseconds of processor time of one look, as if the last one were long ago."""
    best = float("inf")
    for _ in range(ROUNDS):
        paced = getattr(part, "_paced", None)
        if paced is not None:
            paced._at_s = None
        start = time.process_time()
        part.survey(POLICY)
        best = min(best, time.process_time() - start)
    return best * 1e3


def _watch(parts: Sequence[Survey]) -> float:
    """Return the share of a core that watching takes, in per cent, at the guard's own pace."""
    watches = [SurveyWatch(part, POLICY, SystemClock(), lambda _concern: None) for part in parts]
    for watch in watches:
        watch.begin()
    start, end = time.process_time(), time.monotonic() + WATCHED_S
    while time.monotonic() < end:
        time.sleep(SURVEY_PERIOD_S)
        for watch in watches:
            watch.observe()
    return (time.process_time() - start) / WATCHED_S * 100

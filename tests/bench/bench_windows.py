"""What watching the windows of an X11 desktop costs, and how soon an overlay is found and put behind the exam.

On Xvfb with openbox; the exam is a window of this process, the others belong to programs of their own.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from Xlib import X

from app.clock import SystemClock
from lockdown.linux_x11.overlays import OverlayWatch
from lockdown.linux_x11.restack import put_behind
from lockdown.linux_x11.server import XServer
from lockdown.linux_x11.stacking import Over, Stack
from lockdown.processes import Program, PsutilTable
from lockdown.watch import POLL_S
from tests.bench.table import Row
from tests.xserver import Desktop, end, wait_for, x11_desktop

ROOT = Path(__file__).parents[2]
WINDOWS, LOOKS, OVERLAYS, QUIET_LOOKS = 30, 50, 20, 40


def run() -> list[Row]:
    """Measure and return the rows."""
    with x11_desktop() as desktop:
        server = XServer(desktop.display)
        exam = server.root.create_window(0, 0, 1280, 800, 0, X.CopyFromParent, override_redirect=True)
        exam.map()
        server.display.sync()
        look_ms = _look(desktop)
        found = _find_overlays(desktop)
        idle = _cpu_when_quiet(desktop)
        server.close()
    return [
        Row(f"look at {WINDOWS} windows over the exam", look_ms, "ms", None, None, ""),
        Row("window watch, nothing happens", idle * 100, "% of a core", None, None, "≤ 0.5"),
        Row(f"overlay found, median of {OVERLAYS}", statistics.median(found) * 1000, "ms", None, None, "≤ 1000"),
        Row(f"overlay found, longest of {OVERLAYS}", max(found) * 1000, "ms", None, None, "≤ 1000"),
    ]


def _look(desktop: Desktop) -> float:
    """Milliseconds of a look at another program's windows, all of them over the exam."""
    server, own = XServer(desktop.display), os.getpid()
    stack = Stack(server, lambda pid: pid == own)
    with _program(desktop, "many", str(WINDOWS)):
        try:
            assert len(stack.over_own()) == WINDOWS
            began = time.perf_counter()
            for _ in range(LOOKS):
                stack.over_own()
            return (time.perf_counter() - began) / LOOKS * 1000
        finally:
            server.close()


@contextmanager
def _program(desktop: Desktop, *what: str) -> Iterator[int]:
    """Run another program from when its windows are shown; yields its process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.x11_client", *what],
        env=desktop.environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        end(process)


def _watch(server: XServer, found: Callable[[Over], object]) -> OverlayWatch:
    def behind(over: Over, program: Program | None) -> None:
        found(over)
        put_behind(server, over, program)

    own = os.getpid()
    table = PsutilTable()
    return OverlayWatch(
        server, table, SystemClock(), lambda pid: pid == own, is_helper=lambda _program: False, put_behind=behind
    )


def _find_overlays(desktop: Desktop) -> Sequence[float]:
    """Seconds from the moment an overlay is shown until the watch, asked as the guard asks it, has it."""
    server, seen, stop = XServer(desktop.display), dict[int, float](), threading.Event()
    watch = _watch(server, lambda over: seen.setdefault(over.pid or 0, time.monotonic()))

    def observe() -> None:
        while not stop.wait(POLL_S):
            watch.observe()

    thread = threading.Thread(target=observe, name="bench-watch")
    thread.start()
    try:
        return [_time_to_find(desktop, seen) for _ in range(OVERLAYS)]
    finally:
        stop.set()
        thread.join()
        server.close()


def _time_to_find(desktop: Desktop, seen: dict[int, float]) -> float:
    with _program(desktop, "click_through") as pid:
        shown = time.monotonic()
        wait_for(lambda: pid in seen, "the overlay")
        return max(0.0, seen[pid] - shown)


def _cpu_when_quiet(desktop: Desktop) -> float:
    """Share of a core for ten seconds of looks, without what others on the machine use."""
    server = XServer(desktop.display)
    watch = _watch(server, lambda _over: None)
    try:
        watch.observe()
        used, began = time.process_time(), time.monotonic()
        for _ in range(QUIET_LOOKS):
            time.sleep(POLL_S)
            watch.observe()
        return (time.process_time() - used) / (time.monotonic() - began)
    finally:
        server.close()

"""Time that passed without us: sleep, a stopped process, a clock that was set; with clocks that are told what to do."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.contract.times import Instant
from app.external import run_external
from lockdown import select
from lockdown.environment.gaps import GapWatch, Reading, by_two_clocks
from lockdown.fake import FakeTable, FakeWatch
from lockdown.macos import desktop as macos
from lockdown.windows import desktop as windows

ROOT = Path(__file__).parents[2]
S = IncidentKind.SUSPENDED
J = IncidentKind.CLOCK_JUMP


class Clocks:
    """Three clocks: monotonic, the one that counts sleep (``None`` where there is none), and the wall's."""

    def __init__(self, *, counts_sleep: bool = True) -> None:
        self.mono_s = 100.0
        self.boot_s = 500.0
        self.wall_s = 1_800_000_000.0
        self._counts_sleep = counts_sleep

    def pass_by(self, seconds: float, *, asleep: float = 0.0, set_by: float = 0.0) -> None:
        """Let time pass, ``asleep`` of it more while the computer sleeps, and set the wall clock by ``set_by``."""
        self.mono_s += seconds
        self.boot_s += seconds + asleep
        self.wall_s += seconds + asleep + set_by

    def read(self) -> Reading:
        return Reading(
            at=Instant(mono_ns=round(self.mono_s * 1e9), utc_ms=round(self.wall_s * 1e3)),
            boot_ns=round(self.boot_s * 1e9) if self._counts_sleep else None,
        )


@pytest.mark.parametrize(
    ("passes", "found"),
    [
        ({"seconds": 0.25}, []),
        ({"seconds": 2.9}, []),
        ({"seconds": 3.5}, [(S, "Fairlock stood still: it was stopped, or the computer was very busy", "3.5")]),
        ({"seconds": 0.3, "asleep": 0.5}, []),
        ({"seconds": 0.3, "asleep": 3600.0}, [(S, "the computer slept", "3600.0")]),
        ({"seconds": 5.0, "asleep": 60.0}, [(S, "the computer slept", "60.0")]),
        ({"seconds": 0.3, "set_by": 1.5}, []),
        ({"seconds": 0.3, "set_by": 3600.0}, [(J, "the clock was set", "+3600.0")]),
        ({"seconds": 0.3, "set_by": -7200.0}, [(J, "the clock was set", "-7200.0")]),
        (
            {"seconds": 0.3, "asleep": 90.0, "set_by": -60.0},
            [(S, "the computer slept", "90.0"), (J, "the clock was set", "-60.0")],
        ),
    ],
)
def test_each_way_to_lose_time_is_told_from_the_others(
    passes: dict[str, float], found: list[tuple[IncidentKind, str, str]]
) -> None:
    clocks = Clocks()
    watch = GapWatch(clocks.read)
    assert watch.observe() == ()
    start = clocks.read().at
    clocks.pass_by(**passes)
    findings = list(watch.observe())
    assert [(one.kind, one.facts["what"], one.facts["seconds"]) for one in findings] == found
    assert [one.since for one in findings] == [start if kind is S else None for kind, _, _ in found]
    clocks.pass_by(0.25)
    assert list(watch.observe()) == []


def test_where_no_clock_counts_sleep_it_is_not_claimed_to_be_known() -> None:
    clocks = Clocks(counts_sleep=False)
    watch = GapWatch(clocks.read)
    watch.observe()
    clocks.pass_by(0.3, asleep=3600)
    (finding,) = watch.observe()
    assert (finding.kind, finding.facts["what"]) == (J, "the clock was set, or the computer slept")


@pytest.mark.parametrize(
    ("mono_s", "wall_s", "kind", "what"),
    [
        # Asleep for an hour: as Windows counts, and as macOS does.
        (3600.0, 3600.0, S, "the computer slept or was very busy, or Fairlock was stopped"),
        (0.3, 3600.0, J, "the clock was set, or the computer slept"),
        # Stopped for ten seconds, and the clock set by a minute: alike on both.
        (10.0, 10.0, S, "the computer slept or was very busy, or Fairlock was stopped"),
        (0.3, 60.3, J, "the clock was set, or the computer slept"),
    ],
)
def test_two_clocks_are_enough_to_miss_time(mono_s: float, wall_s: float, kind: IncidentKind, what: str) -> None:
    clock = ManualClock()
    watch = by_two_clocks(clock)
    assert watch.observe() == ()
    clock.advance(0.25)
    assert list(watch.observe()) == []
    clock.advance(mono_s)
    clock.jump_wall(wall_s - mono_s)
    (finding,) = watch.observe()
    assert (finding.kind, finding.facts["what"]) == (kind, what)


@pytest.mark.parametrize("desktop", [windows, macos])
def test_time_is_watched_on_windows_and_macos_too(desktop: ModuleType) -> None:
    platform = desktop.platform(
        run=run_external, table=FakeTable(), clock=ManualClock(), processes=FakeWatch(), is_own=lambda _pid: False
    )
    assert [name for name, watch in platform.beside if isinstance(watch, GapWatch)] == [Capability.SLEEP_GUARD]


_WATCHED = """
import time
from app.clock import SystemClock
from app.contract.policy import Capability
from app.guard.watching import WatchThread
from lockdown.environment.gaps import GapWatch
from lockdown.linux_system.rest import read_clocks

def tell(finding, _capability):
    print(finding.kind, finding.facts["seconds"], finding.facts["what"], flush=True)

clock = SystemClock()
watch = GapWatch(lambda: read_clocks(clock))
watch.observe()
WatchThread(watch, Capability.SLEEP_GUARD, tell, period_s=0.25).start()
print("ready", flush=True)
time.sleep(120)
"""


@pytest.mark.skipif(select.system() != "linux", reason="SIGSTOP is tried on Linux")
def test_a_process_that_was_really_stopped_says_so_with_the_seconds() -> None:
    with subprocess.Popen([sys.executable, "-c", _WATCHED], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGSTOP)
            time.sleep(3.2)  # this much really has to pass
            process.send_signal(signal.SIGCONT)
            kind, seconds, what = process.stdout.readline().strip().split(" ", 2)
        finally:
            process.kill()
    assert kind == S
    assert what.startswith("Fairlock stood still")
    assert float(seconds) >= 3.2

"""How soon the machine is as before: after handing in, and after the processes of an exam were killed.

Real shell and guard on an X server of their own, the recorder played (``tests.faults.letting_go``, which says what "as
before" means). ``make faults-release`` does the same two hundred times.
"""

import statistics

from tests.bench.table import Row
from tests.faults.letting_go import run as run_trials
from tests.faults.trials import GOAL_S, VICTIMS, Trial

RELEASES = 10
KILLS = ("screen saver off", "first change undone")


def run() -> list[Row]:
    """Measure releases one after another, then every set of victims at two steps."""
    nobody: tuple[str, ...] = ()
    releases = [Trial(number=n, step="page shown", victims=nobody, delay_ms=0) for n in range(RELEASES)]
    pairs = [(step, victims) for step in KILLS for victims in VICTIMS]
    kills = [Trial(number=n, step=step, victims=who, delay_ms=0) for n, (step, who) in enumerate(pairs)]
    released = _seconds(releases)
    restored = _seconds(kills)
    goal = f"≤ {GOAL_S:g}"
    return [
        Row("release, handed in, median of 10", statistics.median(released), "s", None, None, goal),
        Row("restored after a kill, median", statistics.median(restored), "s", None, None, goal),
        Row(f"restored after a kill, longest of {len(restored)}", max(restored), "s", None, None, goal),
    ]


def _seconds(trials: list[Trial]) -> list[float]:
    outcomes = run_trials(trials)
    left = [outcome for outcome in outcomes if outcome.left]
    if left:
        raise RuntimeError(f"the machine is not as before: {left}")
    return [outcome.seconds for outcome in outcomes]

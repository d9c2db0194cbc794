"""What the trials of ``tests.faults.letting_go`` are, and the table of how they went. Pure."""

import os
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.exam import STEPS

GOAL_S = 2.0
LONGEST_S = 40.0
EVERY_WHOLE = 20
NOBODY_LEFT = "last hand"
"""When it is among the killed, nobody is left who could undo anything."""
VICTIMS = (
    ("shell",),
    ("recorder",),
    ("guard",),
    ("shell", "guard"),
    ("shell", "recorder"),
    ("guard", "recorder"),
    ("shell", "guard", "recorder"),
    ("shell", "guard", "recorder", "last hand"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Kill ``victims``, in this order, ``delay_ms`` after ``step`` was reached. ``whole``: nothing is played."""

    number: int
    step: str
    victims: tuple[str, ...]
    delay_ms: int
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """``seconds`` until all was as before; ``free_s`` until only processes were left that had not ended yet.

    ``last`` says what was seen to differ last.
    """

    seconds: float
    free_s: float
    last: str = ""

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s ({self.free_s:.2f} s) {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a trial went; ``left`` is what was not as before in the end."""

    trial: Trial
    restored: Restored
    left: str = ""

    @property
    def seconds(self) -> float:
        """How long it took until all was as before."""
        return self.restored.seconds

    @property
    def is_good(self) -> bool:
        """Whether the machine was as before in time."""
        return not self.left and self.seconds <= GOAL_S


def plan(count: int, seed: int) -> list[Trial]:
    """Return ``count`` trials: all steps and victims equally often, order, delays and order of killing at random."""
    chance = random.Random(seed)  # noqa: S311  (to be repeatable)
    pairs = [(step, victims) for step in STEPS for victims in VICTIMS]
    chance.shuffle(pairs)
    trials = []
    for number in range(count):
        step, victims = pairs[number % len(pairs)]
        delay = chance.choice((0, chance.randrange(10), chance.randrange(150), chance.randrange(600)))
        order = tuple(chance.sample(victims, len(victims)))
        whole = number % EVERY_WHOLE == EVERY_WHOLE - 1
        trials.append(Trial(number=number, step=step, victims=order, delay_ms=delay, whole=whole))
    return trials


def table(outcomes: Sequence[Outcome]) -> str:
    """Return how often and the longest time, a line for each step and a column for each set of victims."""
    names = {frozenset(victims): "+".join(name[0].upper() for name in victims) for victims in VICTIMS}
    lines = [f"{'killed soon after':<22}" + "".join(f"{name:>13}" for name in names.values())]
    for step in STEPS:
        cells = []
        for victims in names:
            times = [o.seconds for o in outcomes if o.trial.step == step and frozenset(o.trial.victims) == victims]
            cells.append(f"{len(times)}× {max(times):.2f} s" if times else "")
        lines.append(f"{step:<22}" + "".join(f"{cell:>13}" for cell in cells))
    lines.append("S shell, R recorder, G guard, L last hand; with L: the time of the next start")
    undone = [outcome.restored for outcome in outcomes if NOBODY_LEFT not in outcome.trial.victims]
    restarted = [outcome.restored for outcome in outcomes if NOBODY_LEFT in outcome.trial.victims]
    lines += [
        f"never: {sum(bool(outcome.left) for outcome in outcomes)} of {len(outcomes)}",
        _line("settings, keyboard, windows", [restored.free_s for restored in undone]),
        _line("… and every process gone", [restored.seconds for restored in undone]),
        _line("by the next start", [restored.seconds for restored in restarted]),
        f"load average {os.getloadavg()[2]:.1f} on {os.cpu_count()} cores",
    ]
    return "\n".join(lines)


def _line(what: str, times: Sequence[float]) -> str:
    if not times:
        return f"{what:<28} not tried"
    good = sum(time <= GOAL_S for time in times)
    return (
        f"{what:<28} within {GOAL_S:g} s: {good} of {len(times)} ({100 * good / len(times):.1f} %), "
        f"median {statistics.median(times):.2f} s, longest {max(times):.2f} s"
    )

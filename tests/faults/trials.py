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
class Outcome:
    """``seconds`` until the machine was as before, ``last`` what came last; ``left`` is what was not, in the end."""

    trial: Trial
    seconds: float
    last: str = ""
    left: str = ""

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
    good = [outcome for outcome in outcomes if outcome.is_good]
    times = sorted(outcome.seconds for outcome in outcomes)
    lines.append("S shell, R recorder, G guard, L last hand; with L: the time of the next start")
    lines.append(
        f"as before within {GOAL_S:g} s: {len(good)} of {len(outcomes)} ({100 * len(good) / len(outcomes):.1f} %), "
        f"median {statistics.median(times):.2f} s, longest {times[-1]:.2f} s, load average {os.getloadavg()[2]:.1f} "
        f"on {os.cpu_count()} cores"
    )
    return "\n".join(lines)

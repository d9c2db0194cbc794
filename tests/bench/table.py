"""A benchmark's result, and how results are printed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement. ``peer`` is what the other thing measured in the same run, ``ratio`` compares the two.

    ``goal`` is empty or begins with ``≥``, ``≤`` or ``=`` and a number, for the ratio where there is one, else for
    the value.
    """

    name: str
    value: float
    unit: str
    peer: float | None
    ratio: float | None
    goal: str


def missed(row: Row) -> bool:
    """Whether the row has a goal and is not there. A goal in other words is a ``ValueError``."""
    if not row.goal:
        return False
    goal = re.match(r"([≥≤=]) ?(\d+(?:\.\d+)?)", row.goal)
    if goal is None:
        raise ValueError(f"{row.name}: {row.goal!r} is no goal")
    measured, wanted = row.value if row.ratio is None else row.ratio, float(goal[2])
    return not {"≥": measured >= wanted, "≤": measured <= wanted, "=": measured == wanted}[goal[1]]


def format_table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned text table."""
    cells = [("what", "value", "unit", "peer", "ratio", "goal")]
    cells += [(r.name, _number(r.value), r.unit, _number(r.peer), _number(r.ratio), _goal(r)) for r in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    lines = []
    for name, value, unit, peer, ratio, goal in cells:
        line = f"{name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {peer:>{widths[3]}}"
        lines.append(f"{line}  {ratio:>{widths[4]}}  {goal}".rstrip())
    return "\n".join(lines)


def _goal(row: Row) -> str:
    return f"{row.goal} MISSED" if missed(row) else row.goal


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if 0 < abs(value) < 1 else f"{value:,.2f}"

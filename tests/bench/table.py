"""A benchmark's result, and how results are printed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement. ``peer`` is what the other thing measured in the same run, ``ratio`` compares the two."""

    name: str
    value: float
    unit: str
    peer: float | None
    ratio: float | None
    goal: str


def format_table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned text table."""
    cells = [("what", "value", "unit", "peer", "ratio", "goal")]
    cells += [(r.name, _number(r.value), r.unit, _number(r.peer), _number(r.ratio), r.goal) for r in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    lines = []
    for name, value, unit, peer, ratio, goal in cells:
        line = f"{name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {peer:>{widths[3]}}"
        lines.append(f"{line}  {ratio:>{widths[4]}}  {goal}".rstrip())
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"

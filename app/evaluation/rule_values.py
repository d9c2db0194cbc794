"""The values of a rule, each checked for its type and for what it can be. Pure; a fault is a ``ValueError``."""

import math
import re
from collections.abc import Mapping, Sequence

from app.evaluation.truth import THINGS, Event

_LARGEST = 10_000
"""Pixels of a side; no recording of a person at a desk has more."""


def thing(name: object) -> str:
    """Return one of the things that truth speaks of."""
    if name not in THINGS:
        raise ValueError(f"{name!r} is not known; write one of {', '.join(THINGS)}")
    return str(name)


def timed(name: str | None, shows: re.Pattern[str] | None) -> str | None:
    """Return the thing of which ``shows`` finds the times."""
    if name is not None and (shows is None or "start" not in shows.groupindex):
        raise ValueError("timed needs shows with a group (?P<start>…)")
    return thing(name) if name is not None else None


def event(row: object) -> Event:
    """Return the event of ``[thing]`` or ``[thing, start, end]``; its end may be ``inf``."""
    if not isinstance(row, list) or len(row) not in (1, 3):
        raise ValueError("an event is [thing] or [thing, start, end]")
    if len(row) == 1:
        return Event(thing=thing(row[0]))
    return between(thing(row[0]), _number(row[1]), _number(row[2]))


def between(name: str, start_s: float, end_s: float) -> Event:
    """Return an event with these times, in seconds."""
    if not 0 <= start_s < end_s:
        raise ValueError(f"an event from {start_s:g} to {end_s:g} s; write the end after the start")
    return Event(thing=name, start_s=start_s, end_s=end_s)


def found(name: str, times: Mapping[str, str | None]) -> Event:
    """Return the event whose times are the groups ``start`` and ``end`` of what was found in a list's words."""
    start, end = times.get("start"), times.get("end")
    try:
        return between(name, float(start or ""), float(end) if end else math.inf)
    except ValueError:
        raise ValueError(f"start {start!r} and end {end!r} are no times in seconds") from None


def size(value: Sequence[object] | None) -> tuple[int, int] | None:
    """Return width and height in pixels."""
    if value is None:
        return None
    sides = [side for side in value if type(side) is int and 0 < side <= _LARGEST]
    if len(value) != 2 or len(sides) != 2:
        raise ValueError(f"size is [width, height], whole numbers of pixels from 1 to {_LARGEST}")
    return sides[0], sides[1]


def tolerance(value: float | None) -> float | None:
    """Return seconds."""
    if value is not None and not 0 <= _number(value) < math.inf:
        raise ValueError("tolerance_s is a number of seconds from 0 on")
    return value


def texts(values: Sequence[object]) -> tuple[str, ...]:
    """Return names."""
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{values} are not all names; put each in quotes")
    return tuple(map(str, values))


def groups(table: Mapping[str, object]) -> Mapping[str, str]:
    """Return columns with their values, which may be text, numbers, yes or no."""
    if wrong := [column for column, value in table.items() if not isinstance(value, str | int | float)]:
        raise ValueError(f"the group {wrong[0]} is a text or a number")
    return {column: str(value) for column, value in table.items()}


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"{value!r} is no number of seconds")
